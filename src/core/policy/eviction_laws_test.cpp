// What holds of every eviction policy, and what each promises by itself.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>

#include "base/prng.h"
#include "core/policy/eviction.h"

namespace hearth {
namespace {

struct Subject {
  PolicyState state;
  ComponentPolicyState component;
};

double key(const EvictionPolicy& policy, const Subject& subject, const EvictionCandidate& candidate,
           Instant now) {
  return policy.key(subject.state, subject.component, candidate, now);
}

void load(const EvictionPolicy& policy, Subject& subject, const EvictionCandidate& candidate) {
  if (policy.on_load)
    policy.on_load(subject.state, subject.component, candidate, candidate.loaded_at);
}

void use(const EvictionPolicy& policy, Subject& subject, EvictionCandidate& candidate, Instant at) {
  candidate.uses += 1;
  candidate.last_used = at;
  if (policy.on_use) policy.on_use(subject.state, subject.component, candidate, at);
}

void unload(const EvictionPolicy& policy, Subject& subject, const EvictionCandidate& candidate,
            bool was_evicted) {
  if (policy.on_unload) {
    policy.on_unload(subject.state, subject.component, candidate, was_evicted);
  }
}

EvictionCandidate candidate_from(Prng& prng) {
  EvictionCandidate candidate;
  candidate.size = Bytes{prng.below(1ULL << 35)};
  candidate.load_time = Duration{prng.between(0, 60'000'000'000)};
  candidate.loaded_at = Instant{prng.between(0, 86'400'000'000'000)};
  candidate.last_used = candidate.loaded_at + Duration{prng.between(0, 3'600'000'000'000)};
  candidate.uses = prng.below(10'000);
  candidate.predicted = prng.unit();
  return candidate;
}

class EvictionLaws : public testing::TestWithParam<NamedEvictionPolicy> {
 protected:
  const EvictionPolicy& policy = *GetParam().policy;
};

TEST_P(EvictionLaws, HasANameASummaryAndAKey) {
  EXPECT_FALSE(GetParam().name.empty());
  EXPECT_FALSE(policy.summary.empty());
  EXPECT_NE(policy.key, nullptr);
  EXPECT_EQ(find_eviction_policy(GetParam().name), &policy);
}

TEST_P(EvictionLaws, KeysAreFiniteForEveryCandidateAndHistory) {
  Prng prng(1);
  Subject subject;
  for (int i = 0; i < 20'000; ++i) {
    EvictionCandidate candidate = candidate_from(prng);
    load(policy, subject, candidate);
    use(policy, subject, candidate, candidate.last_used);
    const Instant now = candidate.last_used + Duration{prng.between(0, 1'000'000'000'000)};
    ASSERT_TRUE(std::isfinite(key(policy, subject, candidate, now))) << i;
    unload(policy, subject, candidate, prng.chance(0.5));
  }
  for (const EvictionCandidate& edge : {EvictionCandidate{},
                                        EvictionCandidate{.size = Bytes{0},
                                                          .load_time = Duration::max(),
                                                          .loaded_at = Instant::never(),
                                                          .last_used = Instant{0},
                                                          .uses = ~0ULL,
                                                          .predicted = 1},
                                        EvictionCandidate{.size = Bytes::unlimited(),
                                                          .load_time = Duration{-1},
                                                          .loaded_at = Instant{0},
                                                          .last_used = Instant::never(),
                                                          .uses = 0,
                                                          .predicted = 0}}) {
    EXPECT_TRUE(std::isfinite(key(policy, subject, edge, Instant{0})));
    unload(policy, subject, edge, true);
    EXPECT_TRUE(std::isfinite(key(policy, subject, edge, Instant::never())));
  }
}

TEST_P(EvictionLaws, EqualHistoriesGiveEqualBits) {
  std::uint64_t sums[2]{};
  for (std::uint64_t& sum : sums) {
    Prng prng(7);
    Subject subject;
    for (int i = 0; i < 5'000; ++i) {
      EvictionCandidate candidate = candidate_from(prng);
      load(policy, subject, candidate);
      use(policy, subject, candidate, candidate.last_used);
      const double value = key(policy, subject, candidate, candidate.last_used + 1s);
      sum = sum * 31 + std::bit_cast<std::uint64_t>(value);
      unload(policy, subject, candidate, prng.chance(0.3));
    }
  }
  EXPECT_EQ(sums[0], sums[1]);
}

TEST_P(EvictionLaws, AUsedOneNeverRanksBelowAnEqualUnusedOne) {
  Prng prng(3);
  PolicyState shared;
  for (int i = 0; i < 5'000; ++i) {
    EvictionCandidate idle = candidate_from(prng);
    idle.uses = prng.below(50);
    EvictionCandidate used = idle;
    Subject of_idle{shared, {}};
    load(policy, of_idle, idle);
    Subject of_used{of_idle.state, {}};
    load(policy, of_used, used);
    const Instant at = used.last_used + Duration{prng.between(1, 1'000'000'000)};
    use(policy, of_used, used, at);
    shared = of_used.state;
    of_idle.state = shared;
    const Instant now = at + Duration{prng.between(0, 100'000'000'000)};
    EXPECT_GE(key(policy, of_used, used, now), key(policy, of_idle, idle, now)) << i;
    unload(policy, of_idle, idle, true);
    shared = of_idle.state;
  }
}

TEST_P(EvictionLaws, AKeyThatDoesNotAgeIsTheSameLater) {
  Prng prng(5);
  Subject subject;
  for (int i = 0; i < 1'000; ++i) {
    EvictionCandidate candidate = candidate_from(prng);
    load(policy, subject, candidate);
    const double now = key(policy, subject, candidate, candidate.last_used);
    const double later = key(policy, subject, candidate, candidate.last_used + 1h);
    if (policy.keys_age) {
      EXPECT_LE(later, now) << i;  // nothing grows in value by lying idle
    } else {
      EXPECT_EQ(later, now) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EvictionLaws,
                         testing::ValuesIn(eviction_policies().begin(), eviction_policies().end()),
                         [](const auto& row) { return std::string(row.param.name); });

const EvictionPolicy& named(std::string_view name) { return *find_eviction_policy(name); }

TEST(EvictionPolicies, AreListedInAlphabeticalOrderAndFoundByName) {
  std::string_view last;
  for (const NamedEvictionPolicy& policy : eviction_policies()) {
    EXPECT_LT(last, policy.name);
    last = policy.name;
  }
  for (const char* name : {"gdsf", "hybrid", "lfu", "lru"}) {
    EXPECT_NE(find_eviction_policy(name), nullptr) << name;
  }
  EXPECT_EQ(find_eviction_policy("lrv"), nullptr);
}

TEST(Lru, RanksByTheLastUse) {
  const EvictionCandidate older{.size = 1_GiB, .last_used = Instant{} + 10s, .uses = 99};
  const EvictionCandidate newer{.size = 1_MiB, .last_used = Instant{} + 11s, .uses = 1};
  EXPECT_LT(key(named("lru"), {}, older, {}), key(named("lru"), {}, newer, {}));
}

TEST(Lfu, RanksByUsesThenByTheLastUse) {
  const EvictionCandidate rare{.last_used = Instant{} + 1000h, .uses = 2};
  const EvictionCandidate often{.last_used = Instant{} + 1s, .uses = 3};
  EvictionCandidate later = often;
  later.last_used = Instant{} + 2s;
  EXPECT_LT(key(named("lfu"), {}, rare, {}), key(named("lfu"), {}, often, {}));
  EXPECT_LT(key(named("lfu"), {}, often, {}), key(named("lfu"), {}, later, {}));
}

TEST(Gdsf, WeighsUsesAndLoadTimeAgainstSize) {
  Subject subject;
  const EvictionCandidate candidate{.size = 200_MiB, .load_time = 4s, .uses = 5};
  EXPECT_DOUBLE_EQ(key(named("gdsf"), subject, candidate, {}), 5.0 * 4.0 / 200.0);
}

TEST(Gdsf, StartsFromTheKeyOfTheLastVictim) {
  const EvictionPolicy& gdsf = named("gdsf");
  Subject victim;
  const EvictionCandidate gone{.size = 100_MiB, .load_time = 2s, .uses = 3};
  load(gdsf, victim, gone);
  unload(gdsf, victim, gone, false);
  EXPECT_EQ(victim.state.number[0], 0.0) << "idle for too long is no eviction";
  unload(gdsf, victim, gone, true);

  Subject next{victim.state, {}};
  EvictionCandidate fresh{.size = 100_MiB, .load_time = 1s};
  load(gdsf, next, fresh);
  EXPECT_DOUBLE_EQ(key(gdsf, next, fresh, {}), 0.06);
  use(gdsf, next, fresh, Instant{1});
  EXPECT_DOUBLE_EQ(key(gdsf, next, fresh, {}), 0.06 + 0.01);
}

TEST(Gdsf, InflationNeverFalls) {
  const EvictionPolicy& gdsf = named("gdsf");
  Subject subject;
  unload(gdsf, subject, {.size = 1_MiB, .load_time = 1s, .uses = 5}, true);
  const double before = subject.state.number[0];
  unload(gdsf, subject, {.size = 1_MiB, .load_time = 1s, .uses = 1}, true);
  EXPECT_EQ(subject.state.number[0], before);
}

TEST(Hybrid, IsTheWeighedSumOfFourTerms) {
  const EvictionPolicy& hybrid = named("hybrid");
  Subject subject;
  EvictionCandidate busiest{.uses = 19};
  use(hybrid, subject, busiest, Instant{} + 1s);
  const EvictionCandidate candidate{
      .loaded_at = Instant{} + 100s, .last_used = Instant{} + 340s, .uses = 5, .predicted = 0.5};
  const double expected = 0.3 / 2 + 0.2 * 5 / 20 + 0.4 * 0.5 + 0.1 / 2;
  EXPECT_DOUBLE_EQ(key(hybrid, subject, candidate, Instant{} + 400s), expected);
}

}  // namespace
}  // namespace hearth

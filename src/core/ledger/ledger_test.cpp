#include "core/ledger/ledger.h"

#include <gtest/gtest.h>

#include <map>

#include "base/prng.h"

namespace hearth {
namespace {

constexpr ComponentId asr{0};
constexpr ComponentId vad{1};

Ledger ledger_of(Bytes ram, std::vector<Ledger::Pool> pools = {}, std::vector<Bytes> others = {}) {
  Ledger ledger;
  others.insert(others.begin(), ram);
  pools.insert(pools.begin(), Ledger::Pool{Bytes::unlimited()});
  ledger.set_budgets(others, pools);
  return ledger;
}

Ledger::Demand ram(Bytes bytes, PoolId pool = {}) {
  return {.ram = bytes, .pool = pool, .others = {}};
}

TEST(Ledger, RefusesAReservationThatDoesNotFit) {
  Ledger ledger = ledger_of(1_GiB);
  ASSERT_TRUE(ledger.try_reserve(asr, ram(700_MiB)));
  EXPECT_FALSE(ledger.try_reserve(vad, ram(400_MiB)));
  EXPECT_EQ(ledger.shortfall({ram(400_MiB)})->bytes, 76_MiB);
  EXPECT_FALSE(ledger.holds(vad));
}

TEST(Ledger, AReservationThatFillsTheBudgetExactlyFits) {
  Ledger ledger = ledger_of(1_GiB);
  EXPECT_TRUE(ledger.try_reserve(asr, ram(1_GiB)));
  EXPECT_FALSE(ledger.shortfall({}));
}

TEST(Ledger, AMeasurementMayPutABudgetOverAndTheShortfallTellsByHowMuch) {
  Ledger ledger = ledger_of(1_GiB);
  ASSERT_TRUE(ledger.try_reserve(asr, ram(700_MiB)));
  ledger.replace(asr, 1100_MiB);
  ASSERT_TRUE(ledger.shortfall({}));
  EXPECT_EQ(ledger.shortfall({})->bytes, 76_MiB);
  ledger.release(asr);
  EXPECT_FALSE(ledger.shortfall({}));
}

Ledger::Pool hard(Bytes size) { return {.size = size, .is_hard = true}; }
Ledger::Pool soft(Bytes size) { return {.size = size, .is_hard = false}; }

TEST(Ledger, ASoftPoolBorrowsWhileRamAsAWholeHasRoom) {
  Ledger ledger = ledger_of(1_GiB, {soft(300_MiB)});
  ASSERT_TRUE(ledger.try_reserve(asr, ram(500_MiB, PoolId{1})));
  EXPECT_EQ(ledger.borrowed(PoolId{1}), 200_MiB);
  const auto missing = ledger.shortfall({ram(600_MiB, PoolId{1})});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->pool, PoolId{});
  EXPECT_EQ(missing->bytes, 76_MiB);
}

TEST(Ledger, ABorrowedAmountIsToldForWhatComesAndWhatGoes) {
  Ledger ledger = ledger_of(1_GiB, {soft(300_MiB), soft(100_MiB)});
  ASSERT_TRUE(ledger.try_reserve(asr, ram(200_MiB, PoolId{1})));
  const std::vector coming{ram(250_MiB, PoolId{1}), ram(90_MiB, PoolId{2})};
  EXPECT_EQ(ledger.borrowed(PoolId{1}), Bytes{});
  EXPECT_EQ(ledger.borrowed(PoolId{1}, coming), 150_MiB);
  EXPECT_EQ(ledger.borrowed(PoolId{1}, coming, {ram(200_MiB, PoolId{1})}), Bytes{});
  EXPECT_EQ(ledger.borrowed(PoolId{2}, coming), Bytes{});
}

TEST(Ledger, WhatAPoolDoesNotUseIsLentOnceOthersHaveIt) {
  Ledger ledger = ledger_of(1000_MiB, {soft(300_MiB), hard(400_MiB)});
  ASSERT_TRUE(ledger.try_reserve(asr, ram(600_MiB)));
  EXPECT_EQ(ledger.lent(PoolId{1}), Bytes{});
  ASSERT_TRUE(ledger.try_reserve(vad, ram(350_MiB, PoolId{1})));
  EXPECT_EQ(ledger.lent(PoolId{1}), Bytes{});
  EXPECT_EQ(ledger.lent(PoolId{2}), 350_MiB);
  EXPECT_EQ(ledger.lent(PoolId{}), Bytes{});
}

TEST(Ledger, AMeasurementOfADeviceReplacesWhatWasDeclared) {
  Ledger ledger = ledger_of(1_GiB, {}, {8_GiB, 4_GiB});
  ASSERT_TRUE(
      ledger.try_reserve(asr, {.ram = 1_MiB, .pool = {}, .others = {{ResourceId{1}, 6_GiB}}}));
  ledger.replace(asr, ResourceId{1}, 7_GiB);
  ledger.replace(asr, ResourceId{2}, 5_GiB);
  EXPECT_EQ(ledger.used(ResourceId{1}), 7_GiB);
  EXPECT_EQ(ledger.shortfall({})->resource, ResourceId{2});
  EXPECT_TRUE(ledger.recount());
  ledger.release(asr);
  EXPECT_EQ(ledger.used(ResourceId{2}), Bytes{});
}

TEST(Ledger, AHardPoolIsALimit) {
  Ledger ledger = ledger_of(1_GiB, {hard(300_MiB)});
  ASSERT_TRUE(ledger.try_reserve(asr, ram(200_MiB, PoolId{1})));
  const auto missing = ledger.shortfall({ram(200_MiB, PoolId{1})});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->pool, PoolId{1});
  EXPECT_EQ(missing->bytes, 100_MiB);
  EXPECT_TRUE(ledger.try_reserve(vad, ram(200_MiB)));
  EXPECT_EQ(ledger.used(ResourceId{0}), 400_MiB);
}

TEST(Ledger, WhatIsAboutToGoCountsAsFreeOnlyWhenSaid) {
  Ledger ledger = ledger_of(1_GiB);
  ASSERT_TRUE(ledger.try_reserve(asr, ram(700_MiB)));
  EXPECT_TRUE(ledger.shortfall({ram(900_MiB)}));
  EXPECT_FALSE(ledger.shortfall({ram(900_MiB)}, {ram(700_MiB)}));
}

TEST(Ledger, ADeviceIsABudgetOfItsOwn) {
  Ledger ledger = ledger_of(1_GiB, {}, {8_GiB});
  const Ledger::Demand model{.ram = 10_MiB, .pool = {}, .others = {{ResourceId{1}, 6_GiB}}};
  ASSERT_TRUE(ledger.try_reserve(asr, model));
  EXPECT_FALSE(ledger.try_reserve(vad, model));
  EXPECT_EQ(ledger.shortfall({model})->resource, ResourceId{1});
}

TEST(Ledger, AgreesWithANaiveModelOverRandomOperations) {
  Prng prng{7};
  Ledger ledger = ledger_of(4_GiB, {hard(1_GiB), hard(2_GiB), soft(1_GiB)});
  std::map<std::uint32_t, std::pair<Bytes, std::uint16_t>> model;
  for (int i = 0; i < 5000; ++i) {
    const auto id = static_cast<std::uint32_t>(prng.below(20));
    const Bytes bytes{prng.below(600) << 20};
    const auto pool = static_cast<std::uint16_t>(prng.below(4));
    if (!model.contains(id)) {
      Bytes total;
      Bytes in_pool;
      for (const auto& [other, held] : model) {
        total += held.first;
        if (held.second == pool) in_pool += held.first;
      }
      const bool fits = total + bytes <= 4_GiB && (pool != 1 || in_pool + bytes <= 1_GiB) &&
                        (pool != 2 || in_pool + bytes <= 2_GiB);
      ASSERT_EQ(ledger.try_reserve(ComponentId{id}, ram(bytes, PoolId{pool})), fits);
      if (fits) model[id] = {bytes, pool};
    } else {
      ledger.release(ComponentId{id});
      model.erase(id);
    }
    ASSERT_TRUE(ledger.recount());
  }
}

TEST(Ledger, WhatIsHeldFollowsPoolsAndResourcesThatAreNumberedAnew) {
  Ledger ledger;
  ledger.set_budgets({1000_MiB, 100_MiB, 100_MiB},
                     {{.size = {}}, {.size = 500_MiB}, {.size = 500_MiB}});
  ledger.hold(ComponentId{0},
              {.ram = 10_MiB, .pool = PoolId{1}, .others = {{ResourceId{2}, 5_MiB}}});
  ledger.hold(ComponentId{1},
              {.ram = 20_MiB, .pool = PoolId{2}, .others = {{ResourceId{1}, 7_MiB}}});
  ledger.renumber({0, 2, 1}, {0, 0, 1});
  ledger.set_budgets({1000_MiB, 100_MiB}, {{.size = {}}, {.size = 500_MiB}, {.size = 500_MiB}});
  EXPECT_EQ(ledger.pool_used(PoolId{2}), 10_MiB);
  EXPECT_EQ(ledger.pool_used(PoolId{1}), 20_MiB);
  EXPECT_EQ(ledger.used(ResourceId{1}), 5_MiB) << "the other is no more";
  EXPECT_TRUE(ledger.recount());
}

}  // namespace
}  // namespace hearth

#include "core/ledger/ledger.h"

#include <gtest/gtest.h>

#include <map>

#include "base/prng.h"

namespace hearth {
namespace {

constexpr ComponentId asr{0};
constexpr ComponentId vad{1};

Ledger ledger_of(Bytes ram, std::vector<Bytes> pools = {}, std::vector<Bytes> others = {}) {
  Ledger ledger;
  others.insert(others.begin(), ram);
  pools.insert(pools.begin(), Bytes::unlimited());
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

TEST(Ledger, APoolIsASubBudgetOfRam) {
  Ledger ledger = ledger_of(1_GiB, {300_MiB});
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
  Ledger ledger = ledger_of(4_GiB, {1_GiB, 2_GiB});
  std::map<std::uint32_t, std::pair<Bytes, std::uint16_t>> model;
  for (int i = 0; i < 5000; ++i) {
    const auto id = static_cast<std::uint32_t>(prng.below(20));
    const Bytes bytes{prng.below(600) << 20};
    const auto pool = static_cast<std::uint16_t>(prng.below(3));
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

}  // namespace
}  // namespace hearth

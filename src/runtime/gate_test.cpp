#include "runtime/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace hearth {
namespace {

TEST(Gate, IsClosedAtFirstAndCannotBeTaken) {
  Gate gate;
  EXPECT_FALSE(gate.try_take());
  EXPECT_FALSE(gate.is_open());
}

TEST(Gate, OpensOnceAndCountsWhoTakesIt) {
  Gate gate;
  gate.open();
  EXPECT_TRUE(gate.try_take());
  EXPECT_TRUE(gate.try_take());
  gate.open();
  EXPECT_EQ(gate.taken(), 2U);
}

TEST(Gate, RefusesToCloseWhileTakenAndTellsByHowMany) {
  Gate gate;
  gate.open();
  ASSERT_TRUE(gate.try_take());
  EXPECT_EQ(gate.close(), std::optional<std::uint32_t>{1});
  gate.release();
  EXPECT_EQ(gate.close(), std::nullopt);
  EXPECT_FALSE(gate.try_take());
}

TEST(Gate, IsBarredWhoeverHasTakenItUntilItIsOpenedAgain) {
  Gate gate;
  gate.open();
  ASSERT_TRUE(gate.try_take());
  gate.bar();
  EXPECT_FALSE(gate.try_take());
  EXPECT_EQ(gate.close(), std::optional<std::uint32_t>{1});
  gate.release();
  EXPECT_EQ(gate.close(), std::nullopt);
  gate.open();
  EXPECT_TRUE(gate.try_take());
}

// The resource is a plain int: unloading writes it, using reads it. A gate that let a taker in
// while it closes would be a data race (ThreadSanitizer) or a wrong value seen.
TEST(Gate, NobodyUsesWhatIsBeingUnloadedUnderStress) {
  constexpr int attempts = 300'000;
  Gate gate;
  int resource = 0;
  std::atomic<int> running{2};
  std::atomic<int> wrong{0};
  const auto take_often = [&] {
    for (int i = 0; i < attempts; ++i) {
      if (!gate.try_take()) continue;
      if (resource != 1) wrong.fetch_add(1);
      gate.release();
    }
    running.fetch_sub(1);
  };
  std::thread first{take_often};
  std::thread second{take_often};
  while (running.load() > 0) {
    resource = 1;
    gate.open();
    while (gate.close()) {
    }
    resource = 0;
  }
  first.join();
  second.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(gate.taken(), 0U);
}

}  // namespace
}  // namespace hearth

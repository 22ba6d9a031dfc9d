#include "runtime/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

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

TEST(Gate, ResetsToWhatIsKnownAfterARestart) {
  Gate gate;
  gate.reset(2);
  EXPECT_EQ(gate.taken(), 2U);
  gate.reset(std::nullopt);
  EXPECT_FALSE(gate.is_open());
}

// The resource is a plain int: unloading writes it, using reads it. A gate that let a taker in while
// it closes would be a data race (ThreadSanitizer) or a wrong value seen.
TEST(Gate, NobodyUsesWhatIsBeingUnloadedUnderStress) {
  Gate gate;
  int resource = 0;
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0};
  std::atomic<long> taken{0};
  std::vector<std::thread> takers;
  for (int t = 0; t < 3; ++t) {
    takers.emplace_back([&] {
      while (!is_over.load(std::memory_order_relaxed)) {
        if (!gate.try_take()) {
          std::this_thread::yield();
          continue;
        }
        if (resource != 1) wrong.fetch_add(1);
        taken.fetch_add(1, std::memory_order_relaxed);
        gate.release();
      }
    });
  }
  for (int cycle = 0; cycle < 800; ++cycle) {
    resource = 1;
    const long before = taken.load();
    gate.open();
    // Every eighth time somebody must have got in; the rest close while they try.
    while (cycle % 8 == 0 && taken.load() == before) std::this_thread::yield();
    while (gate.close()) std::this_thread::yield();
    resource = 0;
  }
  is_over = true;
  for (std::thread& taker : takers) taker.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GE(taken.load(), 100);
}

}  // namespace
}  // namespace hearth

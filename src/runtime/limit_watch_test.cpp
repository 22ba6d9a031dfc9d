#include "runtime/limit_watch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/bloat_testing.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

Instant at(Duration span) { return Instant{1'000'000'000} + span; }

OverLimit::Reading reading(std::uint64_t high, Bytes kept) {
  return {.high = high, .kept = kept, .threshold = 100_MiB};
}

TEST(OverLimit, IsWhoIsHeldBackForFiveSecondsWithMemoryThatCannotBeTakenBack) {
  OverLimit limit;
  EXPECT_FALSE(limit.look(at(0s), reading(1, 101_MiB)));
  EXPECT_TRUE(limit.is_suspect());
  EXPECT_FALSE(limit.look(at(2s), reading(2, 101_MiB)));
  EXPECT_FALSE(limit.look(at(4s), reading(3, 102_MiB)));
  EXPECT_TRUE(limit.look(at(5s), reading(4, 102_MiB)));
}

TEST(OverLimit, SleepingWhileHeldBackIsNoEndOfIt) {
  OverLimit limit;
  EXPECT_FALSE(limit.look(at(0s), reading(1, 101_MiB)));
  EXPECT_FALSE(limit.look(at(2s), reading(1, 101_MiB)));
  EXPECT_FALSE(limit.look(at(2400ms), reading(2, 101_MiB)));
  EXPECT_FALSE(limit.look(at(4s), reading(2, 101_MiB)));
  EXPECT_FALSE(limit.look(at(4800ms), reading(3, 101_MiB)));
  EXPECT_TRUE(limit.look(at(5s), reading(3, 101_MiB)));
}

TEST(OverLimit, IsNotWhoOnlyReadsFiles) {
  OverLimit limit;
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_FALSE(limit.look(at(i * 500ms), reading(10 * (i + 1), 20_MiB))) << i;
  }
  EXPECT_FALSE(limit.is_suspect());
}

TEST(OverLimit, IsNotWhoHasMuchAndAsksForNoMore) {
  OverLimit limit;
  for (std::uint64_t i = 0; i < 40; ++i) {
    EXPECT_FALSE(limit.look(at(i * 500ms), reading(3, 101_MiB))) << i;
  }
  EXPECT_FALSE(limit.is_suspect());
}

TEST(OverLimit, WhoGoesBelowBeginsAnew) {
  OverLimit limit;
  EXPECT_FALSE(limit.look(at(0s), reading(1, 101_MiB)));
  EXPECT_FALSE(limit.look(at(2s), reading(2, 99_MiB)));
  EXPECT_FALSE(limit.look(at(4s), reading(3, 101_MiB)));
  EXPECT_FALSE(limit.look(at(6s), reading(4, 101_MiB)));
  EXPECT_FALSE(limit.look(at(8s), reading(5, 101_MiB)));
  EXPECT_TRUE(limit.look(at(9s), reading(6, 101_MiB)));
}

// A shell that takes memory without an end; the kernel ends it by its limit alone.
TEST(LimitWatch, TellsWhomTheKernelHasEndedForHisLimit) {
  const DaemonLeaf leaf = DaemonLeaf::enter();
  const Bytes limit = 24_MiB;
  const ComponentGroup group = ComponentGroup::make("bloat", {.memory = limit});
  if (!group.is_complete()) {
    group.remove();
    ASSERT_FALSE(leaf.is_entered());
    GTEST_SKIP() << "no limit of memory can be set here";
  }
  LimitWatch watch{group, limit};
  EXPECT_TRUE(watch.killed_text().empty());
  const Spawned child = testing::spawn_bloat(group);
  ASSERT_EQ(child.error, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child.process, &status, 0), child.process);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  EXPECT_TRUE(watch.is_counted());
  EXPECT_EQ(watch.killed_text(), "killed by the kernel: over its limit of 24MiB");
  EXPECT_EQ(watch.look(Instant{1}), LimitWatch::Verdict::killed);
  group.remove();
}

TEST(LimitWatch, OfNoGroupKnowsNothing) {
  LimitWatch watch;
  EXPECT_EQ(watch.fd(), -1);
  EXPECT_TRUE(watch.killed_text().empty());
  EXPECT_FALSE(watch.is_counted());
}

}  // namespace
}  // namespace hearth

#include "runtime/processes.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace hearth {
namespace {

TEST(SmapsRollup, IsReadIntoTheFigures) {
  const auto figures = parse_smaps_rollup(
      "55a2e8328000-7ffd469d1000 ---p 00000000 00:00 0    [rollup]\n"
      "Rss:                1620 kB\nPss:                 300 kB\nPss_Anon:            100 kB\n"
      "Pss_File:            150 kB\nPss_Shmem:            50 kB\nPrivate_Clean:        40 kB\n"
      "Swap:                  9 kB\nSwapPss:               8 kB\n");
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->anonymous, 158_KiB);
  EXPECT_EQ(figures->file_exclusive, 40_KiB);
  EXPECT_EQ(figures->file_shared, 110_KiB);
  EXPECT_EQ(figures->pss, 300_KiB);
}

TEST(SmapsRollup, OfSomethingElseIsNothing) {
  EXPECT_FALSE(parse_smaps_rollup(""));
  EXPECT_FALSE(parse_smaps_rollup("Pss: many kB\n"));
  EXPECT_FALSE(parse_smaps_rollup(":::\n\n kB"));
}

TEST(TreeMemory, OfThisProcessIsSomething) {
  const MemoryFigures figures = tree_memory(::getpid());
  EXPECT_GT(figures.pss, 100_KiB);
  EXPECT_GT(figures.anonymous, Bytes{});
}

TEST(Descendants, HoldAChildAndNotOneself) {
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  EXPECT_EQ(descendants(::getpid()), std::vector<pid_t>{child});
  kill_all({child});
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(exit_text(status), "killed by SIGKILL (out of memory, or by hand)");
}

TEST(ExitText, SaysStatusesAndSignals) {
  EXPECT_EQ(exit_text(3 << 8), "exit status 3");
  EXPECT_EQ(exit_text(SIGSEGV), "killed by SIGSEGV");
  EXPECT_EQ(exit_text(137 << 8), "killed by SIGKILL, exit status 137 (out of memory, or by hand)");
}

}  // namespace
}  // namespace hearth

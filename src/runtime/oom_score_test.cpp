#include "runtime/oom_score.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/files.h"
#include "runtime/spawn.h"

namespace hearth {
namespace {

std::string score_of(pid_t process) {
  return read_file("/proc/" + std::to_string(process) + "/oom_score_adj").value_or("");
}

TEST(OomScore, CoreGoesLastAndAllGoBeforeTheDaemon) {
  for (const int own : {-1000, -500, 0, 100, 200}) {
    EXPECT_LT(own, oom_score_for(Priority::core, own));
    EXPECT_LT(0, oom_score_for(Priority::core, own));
    EXPECT_LT(oom_score_for(Priority::core, own), oom_score_for(Priority::high, own));
    EXPECT_LT(oom_score_for(Priority::high, own), oom_score_for(Priority::medium, own));
    EXPECT_LT(oom_score_for(Priority::medium, own), oom_score_for(Priority::low, own));
  }
}

TEST(OomScore, IsNeverMoreThanTheKernelTakes) {
  EXPECT_EQ(oom_score_for(Priority::low, 1000), 1000);
  EXPECT_EQ(oom_score_for(Priority::low, 0), 700);
  EXPECT_EQ(oom_score_for(Priority::core, -500), 100);
}

TEST(OomScore, IsGivenAtTheStartAndFollows) {
  const Descriptor nothing{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // so that both are waited for
  const int own = own_oom_score();
  const int high = oom_score_for(Priority::high, own);
  const Spawned child = spawn_program({.arguments = {"/bin/sh", "-c", "sleep 600 & wait"},
                                       .output = nothing.get(),
                                       .oom_score_adj = high});
  ASSERT_EQ(child.error, 0);
  EXPECT_TRUE(child.is_scored);
  // The thread sanitizer makes a fork of a vfork, which returns before the child has its score.
  for (int round = 0; round < 1000 && score_of(child.process) == "0\n"; ++round) {
    (void)::poll(nullptr, 0, 5);
  }
  EXPECT_EQ(score_of(child.process), std::to_string(high) + "\n");
  EXPECT_EQ(own_oom_score(), own);
  set_oom_score(child.process, high + 200);
  EXPECT_EQ(score_of(child.process), std::to_string(high + 200) + "\n");
  set_oom_score(child.process, high);  // back: no more than it had is no privilege
  EXPECT_EQ(score_of(child.process), std::to_string(high) + "\n");
  ::kill(-child.process, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

}  // namespace
}  // namespace hearth

// Commands before, after and to stop a process; several of it side by side.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "drivers/process_testing.h"
#include "runtime/clock.h"
#include "runtime/files.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

class ProcessHooks : public testing::ProcessTest {
 protected:
  // A command that adds a line to a file that the test reads.
  std::vector<std::string> noting(const std::string& what) {
    return {"/bin/sh", "-c", "echo " + what + " >> " + root_ + "/notes"};
  }
  std::string notes() { return read_file(root_ + "/notes").value_or(""); }
};

TEST_F(ProcessHooks, TheOneBeforeRunsFirstAndTheOneAfterLast) {
  LoadJob made = job();
  made.launch.before = noting("before $HEARTH_COMPONENT $PORT");
  made.launch.after = noting("after");
  const auto loaded = driver_->load(made, {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const std::string endpoint = (*loaded)->endpoint();
  const std::string before = "before comp " + endpoint.substr(endpoint.rfind(':') + 1) + "\n";
  EXPECT_EQ(notes(), before);
  (*loaded)->unload();
  EXPECT_EQ(notes(), before + "after\n");
}

TEST_F(ProcessHooks, WhenTheOneBeforeFailsNothingIsStartedAndItsLastLineIsTold) {
  LoadJob made = job();
  made.launch.before = {"/bin/sh", "-c", "echo the disk is full; exit 3"};
  made.launch.argv = noting("main");
  made.launch.ready = {ReadyProbe::Kind::started, ""};
  made.launch.after = noting("after");
  const auto loaded = driver_->load(made, {});
  ASSERT_FALSE(loaded);
  const std::string& detail = loaded.error().detail;
  for (const char* part : {"its command `before` failed: exit status 3", "the disk is full"}) {
    EXPECT_NE(detail.find(part), std::string::npos) << detail;
  }
  EXPECT_EQ(notes(), "after\n") << "what the one before had begun can be cleared up";
}

TEST_F(ProcessHooks, OneBeforeThatIsNotThereIsNamed) {
  LoadJob made = job();
  made.launch.before = {"no-such-program-here"};
  const auto loaded = driver_->load(made, {});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("`no-such-program-here`"), std::string::npos)
      << loaded.error().detail;
}

TEST_F(ProcessHooks, OneBeforeThatNeverEndsIsPartOfTheTimeOut) {
  LoadJob made = job();
  made.launch.before = {"/bin/sleep", "600"};
  made.timeout = 300ms;
  const auto loaded = driver_->load(made, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::timed_out);
  EXPECT_TRUE(marked_processes("HEARTH_RUN_DIR=" + root_ + "/run").empty());
}

TEST_F(ProcessHooks, TheOneAfterRunsThoughItEndedByItself) {
  LoadJob made = job();
  made.launch.after = noting("after");
  const auto loaded = driver_->load(made, {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  ASSERT_EQ(::kill((*loaded)->process(), SIGKILL), 0);
  pollfd waited{(*loaded)->exit_fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&waited, 1, 20'000), 1);
  EXPECT_NE((*loaded)->exit_detail().find("SIGKILL"), std::string::npos);
  (*loaded)->unload();
  EXPECT_EQ(notes(), "after\n");
}

TEST_F(ProcessHooks, TheOneThatStopsComesBeforeTheSignalAndKnowsTheProcess) {
  LoadJob made = job();
  made.launch.argv.insert(made.launch.argv.begin() + 1, "--ignore-term");
  made.launch.stop.argv = {"/bin/sh", "-c", "echo stop >> " + root_ + "/notes; kill -9 ${PID}"};
  const auto loaded = driver_->load(made, {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const Instant began = boot_now();
  (*loaded)->unload();
  EXPECT_EQ(notes(), "stop\n");
  EXPECT_LT(boot_now() - began, 8s) << "the grace is 10 s";
}

TEST_F(ProcessHooks, SeveralSideBySideEachHaveAPortAndALog) {
  LoadJob made = job();
  made.launch.argv = {HEARTH_TEST_COMPONENT, "--print-env", "HEARTH_PLACE", "--listen", "${PORT}"};
  made.launch.instances = 3;
  const auto loaded = driver_->load(made, {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const auto endpoints = (*loaded)->endpoints();
  EXPECT_EQ(std::set<std::string>(endpoints.begin(), endpoints.end()).size(), 3U);
  (*loaded)->unload();
  EXPECT_NE(read_file(root_ + "/logs/comp.log")->find("HEARTH_PLACE=1"), std::string::npos);
  EXPECT_NE(read_file(root_ + "/logs/comp#3.log")->find("HEARTH_PLACE=3"), std::string::npos);
}

TEST_F(ProcessHooks, WhenOneOfSeveralFailsTheOthersAreGivenUp) {
  LoadJob made = job();
  made.launch.instances = 3;
  made.launch.is_shell = true;
  made.launch.argv = {std::string{"test $HEARTH_PLACE != 2 && exec "} + HEARTH_TEST_COMPONENT +
                      " --listen $PORT"};
  const auto loaded = driver_->load(made, {});
  ASSERT_FALSE(loaded);
  EXPECT_TRUE(marked_processes("HEARTH_RUN_DIR=" + root_ + "/run").empty());
}

TEST_F(ProcessHooks, SeveralAreAdoptedTogetherOrEnded) {
  LoadJob made = job();
  made.launch.instances = 2;
  made.launch.on_exit = OnExit::keep;
  auto loaded = driver_->load(made, {});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  const auto endpoints = (*loaded)->endpoints();
  loaded->reset();
  auto adopted = make_driver()->adopt(root_ + "/run");
  ASSERT_EQ(adopted.size(), 1U);
  EXPECT_EQ(adopted[0].name, "comp");
  EXPECT_EQ(adopted[0].instance->endpoints().size(), 2U);
  adopted[0].instance->unload();
  EXPECT_TRUE(marked_processes("HEARTH_RUN_DIR=" + root_ + "/run").empty());
}

}  // namespace
}  // namespace hearth

#include "drivers/unit.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "drivers/driver_testing.h"
#include "runtime/files.h"

namespace hearth::testing {
namespace {

// What docker says when its daemon does not run.
constexpr std::string_view no_engine_script = R"sh(#!/bin/sh
echo "dial unix /run/docker.sock: connect: no such file or directory" >&2
exit 1
)sh";

// A service manager and a container engine that say what stands in a file. What they are asked is
// written down; `start` and `stop` are a state that they go to, unless `stuck` is there.
constexpr std::string_view manager_script = R"sh(#!/bin/sh
root=$HEARTH_STAND_IN_UNIT
echo "$1" >> "$root/asked"
case $1 in
start) cp "$root/when_started" "$root/state" ;;
stop) [ -e "$root/stuck" ] || cp "$root/when_stopped" "$root/state" ;;
show) echo "ActiveState=$(cat "$root/state")"; echo MainPID=0 ;;
inspect)
  [ "$(cat "$root/state")" = removed ] && { echo "Error: No such object: comp" >&2; exit 1; }
  echo "$(cat "$root/state") 0" ;;
*) exit 1 ;;
esac
)sh";

class UnitDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    for (const char* name : {"systemctl", "docker", "no_engine"}) {
      const bool is_there = name != std::string_view{"no_engine"};
      std::ofstream(root_ + "/" + name) << (is_there ? manager_script : no_engine_script);
      (void)::chmod((root_ + "/" + name).c_str(), 0755);
    }
    path_before_ = std::getenv("PATH");
    (void)::setenv("PATH", (root_ + ":" + path_before_).c_str(), 1);
    (void)::setenv("HEARTH_STAND_IN_UNIT", root_.c_str(), 1);
    is("inactive");
    set("when_started", "active");
    set("when_stopped", "inactive");
  }
  void TearDown() override {
    driver_.reset();
    (void)::setenv("PATH", path_before_.c_str(), 1);
    (void)::unsetenv("HEARTH_STAND_IN_UNIT");
    std::filesystem::remove_all(root_);
  }

  void set(const std::string& file, const std::string& text) {
    std::ofstream(root_ + "/new") << text << "\n";
    std::filesystem::rename(root_ + "/new", root_ + "/" + file);
  }
  void is(const std::string& state) { set("state", state); }
  void set_stuck(bool is_stuck) {
    if (is_stuck) set("stuck", "");
    if (!is_stuck) std::filesystem::remove(root_ + "/stuck");
  }
  std::size_t asked(const std::string& verb) {
    std::ifstream lines{root_ + "/asked"};
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line == verb ? 1 : 0;
    return count;
  }
  LoadJob job() {
    LoadJob made;
    made.launch.name = "comp";
    made.launch.kind = "unit";
    made.launch.unit.unit = "comp.service";
    made.launch.stop.grace = 0s;
    made.run_dir = root_ + "/run";
    made.timeout = 20s;
    return made;
  }
  LoadJob container() {
    set("when_started", "running");
    set("when_stopped", "exited");
    LoadJob made = job();
    made.launch.unit = {.unit = "", .container = "comp", .engine = "docker"};
    return made;
  }
  std::unique_ptr<Instance> load(const LoadJob& job) {
    auto loaded = driver_->load(job, {});
    EXPECT_TRUE(loaded) << loaded.error().detail;
    return loaded ? *std::move(loaded) : nullptr;
  }
  bool is_on_record() { return std::filesystem::exists(root_ + "/run/comp.unit"); }

  std::string root_;
  std::string path_before_;
  std::unique_ptr<Driver> driver_ =
      make_unit_driver({.look_period = 20ms, .question_time_max = 5s});
};

TEST_F(UnitDriver, AnUnloadIsNotOverBeforeItHasStopped) {
  set("when_stopped", "deactivating");
  const auto instance = load(job());
  ASSERT_NE(instance, nullptr);
  std::atomic<bool> is_over = false;
  std::jthread unloading{[&] {
    instance->unload();
    is_over = true;
  }};
  const std::size_t looks = asked("show");
  EXPECT_TRUE(comes_true([&] { return asked("show") > looks + 3; }));
  EXPECT_FALSE(is_over);
  EXPECT_TRUE(is_on_record());
  EXPECT_EQ(asked("stop"), 1U) << "it is told once, as long as it is stopping";
  is("inactive");
  unloading.join();
  EXPECT_FALSE(is_on_record());
}

TEST_F(UnitDriver, AStopThatDidNothingIsAskedForAgain) {
  const auto instance = load(job());
  ASSERT_NE(instance, nullptr);
  set_stuck(true);
  std::jthread unloading{[&] { instance->unload(); }};
  EXPECT_TRUE(comes_true([&] { return asked("stop") > 2; }));
  EXPECT_TRUE(is_on_record());
  set_stuck(false);
  unloading.join();
  EXPECT_FALSE(is_on_record());
}

TEST_F(UnitDriver, ALoadThatFailsAndCannotBeStoppedSaysThatItIsThereStill) {
  driver_ = make_unit_driver({.look_period = 20ms, .question_time_max = 300ms});
  set_stuck(true);
  LoadJob deaf = job();
  deaf.timeout = 300ms;
  deaf.launch.ready = {ReadyProbe::Kind::unix_socket, root_ + "/nobody"};
  const auto loaded = driver_->load(deaf, {});
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().detail.find("it is there still"), std::string::npos)
      << loaded.error().detail;
  EXPECT_TRUE(is_on_record());
}

TEST_F(UnitDriver, AnEngineThatCannotBeAskedIsGivenUpAndTheRecordStays) {
  const auto instance = load(container());
  ASSERT_NE(instance, nullptr);
  pollfd waited{instance->exit_fd(), POLLIN, 0};
  std::filesystem::rename(root_ + "/no_engine", root_ + "/docker");
  EXPECT_EQ(::poll(&waited, 1, 200), 0) << "nobody has said that it ended";
  instance->unload();
  EXPECT_TRUE(is_on_record());
}

TEST_F(UnitDriver, WhatReloadsRuns) {
  set("when_started", "reloading");
  const auto instance = load(job());
  ASSERT_NE(instance, nullptr);
  EXPECT_EQ(driver_->adopt(root_ + "/run").size(), 1U);
  instance->unload();
}

TEST_F(UnitDriver, WhatIsBeingStartedIsWaitedFor) {
  set("when_started", "activating");
  std::jthread starter{[&] {
    (void)comes_true([&] { return asked("show") > 2; });
    is("active");
  }};
  const auto instance = load(job());
  ASSERT_NE(instance, nullptr);
  EXPECT_GT(asked("show"), 2U);
  instance->unload();
}

TEST_F(UnitDriver, WhatFailsToStartIsSaidAtOnce) {
  set("when_started", "failed");
  const auto loaded = driver_->load(job(), {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::failed);
  EXPECT_NE(loaded.error().detail.find("does not run"), std::string::npos);
  EXPECT_FALSE(is_on_record());
}

TEST_F(UnitDriver, WhatIsStartedForEverIsGivenUpInTime) {
  set("when_started", "activating");
  LoadJob slow = job();
  slow.timeout = 200ms;
  const auto loaded = driver_->load(slow, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::timed_out) << loaded.error().detail;
  EXPECT_EQ(asked("stop"), 1U);
}

TEST_F(UnitDriver, WhatWasStillBeingStartedIsNotAdoptedButStopped) {
  const auto left = load(job());
  is("activating");
  EXPECT_TRUE(driver_->adopt(root_ + "/run").empty());
  EXPECT_EQ(asked("stop"), 1U);
  EXPECT_FALSE(is_on_record());
}

TEST_F(UnitDriver, TheEndOfWhatHasNoMainProcessIsSeen) {
  const auto instance = load(job());
  ASSERT_NE(instance, nullptr);
  EXPECT_EQ(instance->process(), 0);
  pollfd waited{instance->exit_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 100), 0);
  is("failed");
  EXPECT_EQ(::poll(&waited, 1, 20'000), 1);
  EXPECT_NE(instance->exit_detail().find("does not run any more"), std::string::npos);
  instance->unload();
}

TEST_F(UnitDriver, AContainerIsKnownByItsStatus) {
  const LoadJob asked_for = container();
  set("when_started", "restarting");
  std::jthread starter{[&] {
    (void)comes_true([&] { return asked("inspect") > 1; });
    is("running");
  }};
  const auto instance = load(asked_for);
  ASSERT_NE(instance, nullptr);
  pollfd waited{instance->exit_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 100), 0);
  is("removed");
  EXPECT_EQ(::poll(&waited, 1, 20'000), 1);
  instance->unload();
  EXPECT_FALSE(is_on_record());
}

}  // namespace
}  // namespace hearth::testing

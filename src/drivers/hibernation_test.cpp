// Real processes that are frozen, paged out and resumed. What needs a swap makes one of zram.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <stop_token>

#include "drivers/driver_testing.h"
#include "drivers/probe.h"
#include "drivers/process_testing.h"
#include "runtime/clock.h"
#include "runtime/own_group.h"
#include "runtime/paging.h"
#include "runtime/processes.h"
#include "runtime/zram_swap_testing.h"

namespace hearth {
namespace {

using testing::Arguments;
using testing::comes_true;
using testing::ZramSwap;

char state_of(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t close = text ? text->rfind(") ") : std::string::npos;
  return close == std::string::npos ? '-' : (*text)[close + 2];
}

Bytes resident_of(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/status");
  const std::size_t at = text ? text->find("RssAnon:") : std::string::npos;
  return at == std::string::npos ? Bytes{}
                                 : Bytes{std::strtoull(text->c_str() + at + 8, nullptr, 10) * 1024};
}

// In a delegated group of version 2 they are frozen and paged out by groups of their own.
class Hibernation : public testing::ProcessTest {
 protected:
  void SetUp() override {
    leaf_.emplace(DaemonLeaf::enter());  // before there is a keeper
    ProcessTest::SetUp();
  }
  void TearDown() override {
    ProcessTest::TearDown();
    driver_ = nullptr;  // so that nothing is in the leaf when it is left
  }
  std::unique_ptr<Instance> start(Arguments arguments, OnExit on_exit = OnExit::end) {
    arguments.insert(arguments.end(), {"--listen", "${PORT}"});
    LoadJob what = job(std::move(arguments));
    what.launch.on_exit = on_exit;
    what.launch.limits.memory_max = limit_;
    what.launch.instances = instances_;
    auto loaded = load(what);
    EXPECT_TRUE(loaded) << loaded.error().detail;
    return loaded ? *std::move(loaded) : nullptr;
  }
  void takes_little_and_comes_back();
  // Of version 2, where it has one.
  static std::string group_of(const Instance& instance) {
    const auto text = read_file("/proc/" + std::to_string(instance.process()) + "/cgroup");
    const std::size_t at = text ? text->find("0::") : std::string::npos;
    if (at == std::string::npos) return "";
    return "/sys/fs/cgroup" + text->substr(at + 3, text->find('\n', at) - at - 3);
  }

  static Result<int> ask(const std::string& endpoint, Duration patience) {
    const int port = std::atoi(endpoint.substr(endpoint.rfind(':') + 1).c_str());
    return exchange({.port = port, .method = "GET", .path = "/health", .body = {}},
                    {boot_now() + patience, {}});
  }
  static Result<int> ask(const Instance& instance, Duration patience) {
    return ask(instance.endpoint(), patience);
  }

  std::optional<DaemonLeaf> leaf_;
  unsigned instances_ = 1;
  std::optional<Bytes> limit_;
};

TEST_F(Hibernation, AFrozenTreeAnswersNobodyAndAThawedOneGoesOn) {
  const auto instance = start({});
  ASSERT_TRUE(instance);
  ASSERT_TRUE(freeze(instance->supervisor()));
  EXPECT_NE(state_of(instance->supervisor()), 'T') << "who watches over it goes on";
  const auto silence = ask(*instance, 100ms);
  ASSERT_FALSE(silence);
  EXPECT_EQ(silence.error().code, Errc::timed_out) << silence.error().detail;
  thaw(instance->supervisor());
  EXPECT_EQ(ask(*instance, 10s).value_or(0), 200);
  EXPECT_TRUE(instance->resume(10s, {}));
  instance->unload();
}

TEST_F(Hibernation, WhatCompressesTakesLittleAndComesBack) {
  const ZramSwap swap;
  if (!swap.why_not().empty()) GTEST_SKIP() << swap.why_not();
  if (const auto can = driver_->can_hibernate(); !can) GTEST_SKIP() << can.error().detail;
  takes_little_and_comes_back();
}

// It may not be swapped out while it runs.
TEST_F(Hibernation, WhatHasALimitDoesSoToo) {
  const ZramSwap swap;
  if (!swap.why_not().empty()) GTEST_SKIP() << swap.why_not();
  if (const auto can = driver_->can_hibernate(); !can) GTEST_SKIP() << can.error().detail;
  if (!leaf_->is_entered()) GTEST_SKIP() << "no limit of version 2 can be set here";
  limit_ = 128_MiB;
  takes_little_and_comes_back();
}

void Hibernation::takes_little_and_comes_back() {
  const auto instance = start({"--allocate", "64"});
  ASSERT_TRUE(instance);
  const Bytes before = instance->measure().held();
  ASSERT_GT(before, 64_MiB);
  const auto held = instance->hibernate({});
  ASSERT_TRUE(held) << held.error().detail;
  EXPECT_LT(held->count, before.count / 4);
  const std::string group = group_of(*instance);
  if (leaf_->is_entered()) {
    EXPECT_EQ(read_file(group + "/cgroup.freeze").value_or(group), "1\n");
    EXPECT_EQ(read_file(group + "/memory.swap.max").value_or(group), limit_ ? "0\n" : "max\n");
  }
  EXPECT_LT(resident_of(instance->process()).count, before.count / 4);
  EXPECT_GT(instance->measure().held(), 60_MiB) << "with its swap, as the definitions have it";
  const auto resumed = instance->resume(10s, {});
  EXPECT_TRUE(resumed) << resumed.error().detail;
  if (leaf_->is_entered()) {
    EXPECT_EQ(read_file(group + "/cgroup.freeze").value_or(group), "0\n");
  }
  instance->unload();
  EXPECT_EQ(state_of(instance->process()), '-');
}

TEST_F(Hibernation, WhatDoesNotCompressIsToldToTakeWhatItTakes) {
  const ZramSwap swap;
  if (!swap.why_not().empty()) GTEST_SKIP() << swap.why_not();
  if (const auto can = driver_->can_hibernate(); !can) GTEST_SKIP() << can.error().detail;
  const auto swaps = read_file("/proc/swaps");
  if (!swaps || swaps->find("zram") == swaps->npos) GTEST_SKIP() << "the swap is not in memory";
  const auto instance = start({"--allocate-noise", "64"});
  ASSERT_TRUE(instance);
  const Bytes before = instance->measure().held();
  const auto held = instance->hibernate({});
  ASSERT_TRUE(held) << held.error().detail;
  EXPECT_GT(held->count, before.count / 4 * 3);
  EXPECT_TRUE(instance->resume(10s, {}));
  instance->unload();
}

TEST_F(Hibernation, WithoutASwapItSaysSoAndRunsOn) {
  const testing::SwapTurn turn;
  if (testing::has_swap()) GTEST_SKIP() << "the machine has a swap";
  const auto can = can_page_out();
  ASSERT_FALSE(can);
  EXPECT_NE(can.error().detail.find("no swap"), std::string::npos) << can.error().detail;
  const auto instance = start({});
  ASSERT_TRUE(instance);
  const auto held = instance->hibernate({});
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().detail.rfind("comp: ", 0), 0U) << held.error().detail;
  EXPECT_TRUE(instance->resume(10s, {}));
  instance->unload();
}

TEST_F(Hibernation, OneThatWasEndedMeanwhileDoesNotResume) {
  const auto instance = start({});
  ASSERT_TRUE(instance);
  ASSERT_TRUE(freeze(instance->supervisor()));
  ASSERT_EQ(::kill(instance->process(), SIGKILL), 0);
  ASSERT_TRUE(comes_true([&] { return state_of(instance->process()) == '-'; }));
  const auto resumed = instance->resume(5s, {});
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().detail.rfind("comp: ", 0), 0U) << resumed.error().detail;
}

TEST_F(Hibernation, OneThatHibernatesIsUnloadedInGoodOrder) {
  const ZramSwap swap;
  if (!swap.why_not().empty()) GTEST_SKIP() << swap.why_not();
  if (const auto can = driver_->can_hibernate(); !can) GTEST_SKIP() << can.error().detail;
  const auto instance = start({});
  ASSERT_TRUE(instance);
  const pid_t pid = instance->process();
  ASSERT_TRUE(instance->hibernate({}));
  const Instant began = boot_now();
  instance->unload();
  EXPECT_EQ(state_of(pid), '-');
  EXPECT_LT(boot_now() - began, 5s) << "not by its grace of 10 s";
}

TEST_F(Hibernation, ADaemonThatFindsOneFrozenLetsItGoOn) {
  auto instance = start({}, OnExit::keep);
  ASSERT_TRUE(instance);
  const pid_t pid = instance->process();
  const std::string endpoint = instance->endpoint();
  const pid_t supervisor = instance->supervisor();
  ASSERT_TRUE(freeze(supervisor));
  instance.reset();  // the daemon is gone
  ASSERT_EQ(ask(endpoint, 10s).value_or(0), 200) << "its supervisor has seen that";
  ASSERT_TRUE(freeze(supervisor));
  auto adopted = driver_->adopt(root_ + "/run");
  ASSERT_EQ(adopted.size(), 1U);
  EXPECT_EQ(adopted[0].instance->process(), pid);
  EXPECT_EQ(ask(*adopted[0].instance, 10s).value_or(0), 200);
  if (leaf_->is_entered()) {
    EXPECT_EQ(read_file(group_of(*adopted[0].instance) + "/cgroup.freeze").value_or(""), "0\n");
  }
  adopted[0].instance->unload();
}

// Nobody is there who could resume it.
TEST_F(Hibernation, OneWhoseDaemonIsKilledAnswersAgain) {
  auto instance = start({}, OnExit::keep);
  ASSERT_TRUE(instance);
  const std::string endpoint = instance->endpoint();
  ASSERT_TRUE(freeze(instance->supervisor()));
  instance.reset();
  EXPECT_EQ(ask(endpoint, 10s).value_or(0), 200);
  for (const Adopted& adopted : driver_->adopt(root_ + "/run")) adopted.instance->unload();
}

TEST_F(Hibernation, WhatIsCancelledRunsOn) {
  const ZramSwap swap;
  if (!swap.why_not().empty()) GTEST_SKIP() << swap.why_not();
  if (const auto can = driver_->can_hibernate(); !can) GTEST_SKIP() << can.error().detail;
  const auto instance = start({"--allocate", "32"});
  ASSERT_TRUE(instance);
  std::stop_source stop;
  (void)stop.request_stop();
  const auto held = instance->hibernate(stop.get_token());
  ASSERT_FALSE(held);
  EXPECT_EQ(ask(*instance, 10s).value_or(0), 200);
  instance->unload();
}

TEST_F(Hibernation, AResumeThatIsCancelledSaysSoAndNothingRuns) {
  const auto instance = start({});
  ASSERT_TRUE(instance);
  const pid_t pid = instance->process();
  ASSERT_TRUE(freeze(instance->supervisor()));
  std::stop_source stop;
  (void)stop.request_stop();
  const auto resumed = instance->resume(60s, stop.get_token());
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().detail, "comp: its resume was cancelled");
  EXPECT_TRUE(comes_true([&] { return state_of(pid) == '-'; }));
}

TEST_F(Hibernation, ProcessesSideBySideSleepAndWakeTogether) {
  const ZramSwap swap;
  if (!swap.why_not().empty()) GTEST_SKIP() << swap.why_not();
  if (const auto can = driver_->can_hibernate(); !can) GTEST_SKIP() << can.error().detail;
  instances_ = 2;
  const auto group = start({"--allocate", "32"});
  ASSERT_TRUE(group);
  ASSERT_EQ(group->endpoints().size(), 2U);
  const Bytes before = group->measure().held();
  const auto held = group->hibernate({});
  ASSERT_TRUE(held) << held.error().detail;
  EXPECT_LT(held->count, before.count / 4);
  for (const std::string& endpoint : group->endpoints()) EXPECT_FALSE(ask(endpoint, 50ms));
  ASSERT_TRUE(group->resume(10s, {}));
  for (const std::string& endpoint : group->endpoints()) {
    EXPECT_EQ(ask(endpoint, 10s).value_or(0), 200);
  }
  // One that ended in its sleep is told of, and takes the others with it.
  ASSERT_TRUE(freeze(group->supervisor()));
  ASSERT_EQ(::kill(group->process(), SIGKILL), 0);
  ASSERT_TRUE(comes_true([&] { return state_of(group->process()) == '-'; }));
  const auto resumed = group->resume(10s, {});
  ASSERT_FALSE(resumed);
  EXPECT_NE(resumed.error().detail.find("SIGKILL"), std::string::npos) << resumed.error().detail;
  EXPECT_FALSE(ask(group->endpoints().back(), 1s));
}

}  // namespace
}  // namespace hearth

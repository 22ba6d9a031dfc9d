// The laws that every driver keeps, tried on one component of each kind.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stop_token>
#include <thread>

#include "drivers/driver_testing.h"
#include "runtime/clock.h"
#include "runtime/processes.h"

namespace hearth::testing {
namespace {

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {}));
}

// Anonymous memory that is resident, in bytes.
std::uint64_t own_memory() { return tree_memory(::getpid()).anonymous.count; }

struct Kind {
  const char* name;
  std::unique_ptr<DriverWorld> (*make)();
};

class DriverLaws : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-laws-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    world_ = GetParam().make();
    driver_ = world_->make_driver();
  }
  void TearDown() override {
    driver_.reset();
    EXPECT_TRUE(comes_true([&] { return world_->running() == 0; })) << "left over";
    world_.reset();
    std::error_code error;
    std::filesystem::remove_all(root_, error);
  }

  LoadJob job() {
    LoadJob made = world_->job(root_);
    made.work = WorkId{++works_};
    made.state_dir = root_ + "/state/comp";
    made.run_dir = root_ + "/run";
    made.log_path = root_ + "/logs/comp.log";
    if (made.timeout == 30s) made.timeout = 60s;
    return made;
  }
  // Another program may take a port between its choice and its use, as the law beside this one
  // does now and then over a thousand cycles: a daemon tries again then, and so does this.
  std::unique_ptr<Instance> load() {
    auto loaded = driver_->load(job(), {});
    for (int again = 0; again < 3 && !loaded; ++again) {
      if (loaded.error().detail.find("Address already in use") == std::string::npos) break;
      loaded = driver_->load(job(), {});
    }
    EXPECT_TRUE(loaded) << loaded.error().detail;
    return loaded ? *std::move(loaded) : nullptr;
  }

  std::string root_;
  std::unique_ptr<DriverWorld> world_;
  std::unique_ptr<Driver> driver_;
  std::uint64_t works_ = 0;
};

// Of kinds whose components may never become ready: a file that can be read at all is read.
class LawsOfWaiting : public DriverLaws {};

TEST_P(DriverLaws, WhatIsUnloadedIsGoneWhenUnloadReturns) {
  const auto instance = load();
  ASSERT_NE(instance, nullptr);
  EXPECT_GT(world_->running(), 0U);
  instance->unload();
  EXPECT_EQ(world_->running(), 0U);
}

TEST_P(DriverLaws, CanBeLoadedTwice) {
  for (int round = 0; round < 2; ++round) {
    const auto instance = load();
    ASSERT_NE(instance, nullptr);
    instance->unload();
    EXPECT_EQ(world_->running(), 0U) << round;
  }
}

TEST_P(LawsOfWaiting, ALoadThatIsCancelledLeavesNothing) {
  LoadJob slow = job();
  world_->hang(slow);
  std::stop_source stop;
  std::jthread stopper([&] {
    (void)comes_true([&] { return world_->running() > 0; }, 500ms);
    stop.request_stop();
  });
  const Instant began = boot_now();
  const auto loaded = driver_->load(slow, stop.get_token());
  EXPECT_FALSE(loaded);
  EXPECT_LT(boot_now() - began, 20s);
  EXPECT_TRUE(comes_true([&] { return world_->running() == 0; }));
}

TEST_P(DriverLaws, WhatIsToldToStopBeforeItBeganLeavesNothing) {
  std::stop_source stop;
  stop.request_stop();
  const auto loaded = driver_->load(job(), stop.get_token());
  if (loaded) (*loaded)->unload();
  EXPECT_TRUE(comes_true([&] { return world_->running() == 0; }));
}

TEST_P(LawsOfWaiting, WhatNeverBecomesReadyIsGivenUpInTimeAndLeavesNothing) {
  LoadJob hanging = job();
  hanging.timeout = 700ms;
  world_->hang(hanging);
  const Instant began = boot_now();
  const auto loaded = driver_->load(hanging, {});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::timed_out) << loaded.error().detail;
  EXPECT_NE(loaded.error().detail.find("comp: "), std::string::npos) << loaded.error().detail;
  EXPECT_GE(boot_now() - began, 600ms);
  EXPECT_TRUE(comes_true([&] { return world_->running() == 0; }));
}

TEST_P(DriverLaws, WhatEndsByItselfIsSeenAndCanBeUnloadedAndLoadedAgain) {
  auto instance = load();
  ASSERT_NE(instance, nullptr);
  if (!world_->crash(*instance)) {
    EXPECT_EQ(instance->exit_fd(), -1) << "it says that it can end";
    instance->unload();
    return;
  }
  pollfd waited{instance->exit_fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&waited, 1, 20'000), 1);
  EXPECT_NE(instance->exit_detail().find("comp"), std::string::npos) << instance->exit_detail();
  instance->unload();
  instance.reset();
  EXPECT_TRUE(comes_true([&] { return world_->running() == 0; }));
  const auto again = load();
  ASSERT_NE(again, nullptr);
  again->unload();
}

TEST_P(DriverLaws, ItsFiguresAreNotBelowWhatItTakes) {
  const auto instance = load();
  ASSERT_NE(instance, nullptr);
  MemoryFigures figures;
  const auto sum = [&] {
    figures = instance->measure();
    return figures.anonymous + figures.file_exclusive + figures.device;
  };
  EXPECT_TRUE(comes_true([&] { return sum() >= world_->takes(); })) << sum().count;
  // Nor is it far above: what it takes and a quarter, or the little that any process has.
  EXPECT_LE(sum().count, world_->takes().count * 5 / 4 + (Bytes{16_MiB}).count);
  instance->unload();
}

// HEARTH_LAW_CYCLES: how many; `./check --all` asks for a thousand.
TEST_P(DriverLaws, ManyCyclesLeaveNoMemoryDescriptorsOrProcesses) {
  constexpr int warm_up = 20;
  const char* asked = std::getenv("HEARTH_LAW_CYCLES");
  const int cycles = asked != nullptr ? std::max(1, std::atoi(asked)) : 60;
  std::size_t descriptors = 0;
  std::uint64_t memory = 0;
  for (int cycle = 0; cycle < warm_up + cycles; ++cycle) {
    auto instance = load();
    ASSERT_NE(instance, nullptr) << cycle;
    instance->unload();
    instance.reset();
    ASSERT_EQ(world_->running(), 0U) << cycle;
    if (cycle + 1 == warm_up) {
      descriptors = open_descriptors();
      memory = own_memory();
    }
  }
  EXPECT_EQ(open_descriptors(), descriptors);
  // A byte a cycle would be a leak; pages that the allocator keeps are not.
  EXPECT_LE(own_memory(), memory + (Bytes{1_MiB}).count);
}

std::string name_of_kind(const ::testing::TestParamInfo<Kind>& tested) { return tested.param.name; }

INSTANTIATE_TEST_SUITE_P(Kinds, DriverLaws,
                         ::testing::Values(Kind{"process", make_process_world},
                                           Kind{"processes", make_several_processes_world},
                                           Kind{"http", make_ollama_world},
                                           Kind{"unit", make_unit_world},
                                           Kind{"files", make_files_world}),
                         name_of_kind);

INSTANTIATE_TEST_SUITE_P(Kinds, LawsOfWaiting,
                         ::testing::Values(Kind{"process", make_process_world},
                                           Kind{"processes", make_several_processes_world},
                                           Kind{"http", make_ollama_world},
                                           Kind{"unit", make_unit_world}),
                         name_of_kind);

}  // namespace
}  // namespace hearth::testing

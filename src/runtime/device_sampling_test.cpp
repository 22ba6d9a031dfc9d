// What the daemon makes of the machine's devices.
#include <gtest/gtest.h>

#include "runtime/daemon_testing.h"

namespace hearth {
namespace {

using testing::DaemonTest;

// One device, of which the processes below FakeInstance's supervisor hold something.
struct Accelerator {
  Mutex mutex;
  Bytes held HEARTH_GUARDED_BY(mutex) = 3_GiB;
  Bytes unified HEARTH_GUARDED_BY(mutex) = 1_MiB;
  bool is_lost HEARTH_GUARDED_BY(mutex) = false;

  void lose() {
    const MutexLock lock{mutex};
    is_lost = true;
  }
};

class OneDevice : public Devices {
 public:
  explicit OneDevice(std::shared_ptr<Accelerator> world) : world_(std::move(world)) {}
  std::vector<DeviceFigures> list() override {
    const MutexLock lock{world_->mutex};
    return {{"nvidia0", "a stand-in", 8_GiB, world_->is_lost}};
  }
  std::vector<std::vector<HeldOnDevice>> held(
      const std::vector<std::vector<pid_t>>& trees) override {
    const MutexLock lock{world_->mutex};
    std::vector<std::vector<HeldOnDevice>> all(trees.size());
    for (auto& held : all) {
      if (!world_->is_lost) held.push_back({"nvidia0", world_->held, world_->unified});
    }
    return all;
  }

 private:
  std::shared_ptr<Accelerator> world_;
};

class DeviceSampling : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    config_.core.settings.resources = {{"gpu", auto_device}};
    spec("ocr").devices = {{"gpu", 6_GiB}};
    devices_ = std::make_unique<OneDevice>(world);
  }
  static const BudgetRow& gpu(const DaemonStatus& status) {
    return *std::ranges::find(status.budgets, "gpu", &BudgetRow::name);
  }
  std::shared_ptr<Accelerator> world = std::make_shared<Accelerator>();
};

TEST_F(DeviceSampling, ADeviceWithoutASizeHasTheOneThatItTells) {
  begin();
  EXPECT_EQ(gpu(status()).budget, 8_GiB);
  EXPECT_TRUE(status().troubles.empty());
}

TEST_F(DeviceSampling, WhereNoDeviceTellsASizeThatIsATrouble) {
  devices_.reset();
  begin();
  EXPECT_EQ(gpu(status()).budget, Bytes::unlimited());
  ASSERT_EQ(status().troubles.size(), 1U);
  EXPECT_NE(status().troubles[0].find("device gpu: its size is `auto`"), std::string::npos);
}

TEST_F(DeviceSampling, AComponentIsHeldAtWhatItTakesOfTheDevice) {
  begin();
  ASSERT_TRUE(lease("ocr").reply.is_granted);
  until([](const DaemonStatus& now) { return gpu(now).used == 3_GiB; });
  EXPECT_EQ(row("ocr").memory.device, 3_GiB);
}

TEST_F(DeviceSampling, UnifiedMemoryCountsOnceAsRam) {
  begin();
  ASSERT_TRUE(lease("ocr").reply.is_granted);
  until([](const DaemonStatus& now) { return now.budgets[0].used == 11_MiB; });
  EXPECT_EQ(row("ocr").memory.device, 3_GiB);
}

TEST_F(DeviceSampling, ADeviceThatDisappearsIsATroubleAndItsFiguresAreDropped) {
  begin();
  ASSERT_TRUE(lease("ocr").reply.is_granted);
  until([](const DaemonStatus& now) { return gpu(now).used == 3_GiB; });
  world->lose();
  until([](const DaemonStatus& now) { return !now.troubles.empty(); });
  EXPECT_NE(status().troubles[0].find("device nvidia0: it does not answer"), std::string::npos);
  until([this](const DaemonStatus&) { return row("ocr").memory.device == Bytes{}; });
  EXPECT_EQ(gpu(status()).used, 3_GiB) << "it may hold that still";
  EXPECT_TRUE(lease("asr").reply.is_granted) << "the rest goes on";
}

}  // namespace
}  // namespace hearth

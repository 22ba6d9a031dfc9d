#include "runtime/device_watch.h"

#include <gtest/gtest.h>

#include "codec/config.h"

namespace hearth {
namespace {

struct StandIn {
  std::vector<DeviceFigures> devices;
  std::map<pid_t, HeldOnDevice> held;
  int looks = 0;
};

class StandInDevices : public Devices {
 public:
  explicit StandInDevices(std::shared_ptr<StandIn> world) : world_(std::move(world)) {}
  std::vector<DeviceFigures> list() override { return world_->devices; }
  std::vector<std::vector<HeldOnDevice>> held(
      const std::vector<std::vector<pid_t>>& trees) override {
    ++world_->looks;
    std::vector<std::vector<HeldOnDevice>> all;
    for (const auto& tree : trees) {
      all.emplace_back();
      for (const pid_t process : tree) {
        if (world_->held.contains(process)) all.back().push_back(world_->held.at(process));
      }
    }
    return all;
  }

 private:
  std::shared_ptr<StandIn> world_;
};

struct Watch {
  std::shared_ptr<StandIn> world = std::make_shared<StandIn>();
  DeviceWatch watch{std::make_unique<StandInDevices>(world)};
};

constexpr ComponentId ocr{4};

TEST(DeviceWatch, TheOneDeviceIsTheOneResourceThatHasASize) {
  Watch w;
  w.world->devices = {{"0000:03:00.0", "amdgpu", 8_GiB, false}};
  w.watch.configure(
      {{"page_cache", Bytes::unlimited()}, {"camera", exclusive_device}, {"gpu", 6_GiB}});
  EXPECT_EQ(w.watch.size_of("gpu"), 8_GiB);
  EXPECT_FALSE(w.watch.size_of("camera"));
}

TEST(DeviceWatch, OfSeveralDevicesTheNameSaysWhich) {
  Watch w;
  w.world->devices = {{"nvidia0", "a", 8_GiB, false}, {"nvidia1", "b", 16_GiB, false}};
  w.watch.configure({{"nvidia1", 1_GiB}, {"gpu", 1_GiB}});
  EXPECT_EQ(w.watch.size_of("nvidia1"), 16_GiB);
  EXPECT_FALSE(w.watch.size_of("gpu"));
}

TEST(DeviceWatch, TellsOfEachComponentWhatItHoldsThere) {
  Watch w;
  w.world->devices = {{"nvidia0", "a", 8_GiB, false}};
  w.world->held = {{10, {"nvidia0", 3_GiB, 1_GiB}}};
  w.watch.configure({{"gpu", 6_GiB}});
  const auto look = w.watch.look({{ocr, {9, 10}}, {ComponentId{5}, {11}}});
  ASSERT_EQ(look.held.size(), 2U);
  EXPECT_EQ(look.held[0].component, ocr);
  EXPECT_EQ(look.held[0].resource, "gpu");
  EXPECT_EQ(look.held[0].bytes, 3_GiB);
  EXPECT_EQ(look.held[1].bytes, Bytes{});
  EXPECT_EQ(look.sums[0].unified, 1_GiB);
}

TEST(DeviceWatch, OfWhatHasNoProcessOfOursNothingIsTold) {
  Watch w;
  w.world->devices = {{"nvidia0", "a", 8_GiB, false}};
  w.watch.configure({{"gpu", 6_GiB}});
  EXPECT_TRUE(w.watch.look({{ocr, {}}}).held.empty());
}

TEST(DeviceWatch, WithoutADeviceNothingIsLookedAt) {
  Watch w;
  w.watch.configure({{"gpu", 6_GiB}});
  EXPECT_TRUE(w.watch.look({{ocr, {9}}}).held.empty());
  EXPECT_EQ(w.world->looks, 0);
  EXPECT_FALSE(w.watch.is_any());
}

TEST(DeviceWatch, OfADeviceThatIsLostNothingIsToldButThat) {
  Watch w;
  w.world->devices = {{"nvidia0", "a", 8_GiB, false}};
  w.world->held = {{10, {"nvidia0", 3_GiB, Bytes{}}}};
  w.watch.configure({{"gpu", 6_GiB}});
  w.world->devices[0].is_lost = true;
  w.world->held.clear();
  const auto look = w.watch.look({{ocr, {10}}});
  EXPECT_TRUE(look.held.empty());
  EXPECT_TRUE(look.lost.at("nvidia0"));
  EXPECT_EQ(look.sums[0].memory, Bytes{});
}

}  // namespace
}  // namespace hearth

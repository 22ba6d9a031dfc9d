#include "platform/device_memory.h"

#include <vector>

#include "platform/nvml.h"
#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

std::string stand_in(const std::string& kind) {
  return std::string{HEARTH_STAND_INS} + kind + "/libnvidia-ml.so.1";
}

// The stand-in library does what these words say; see stand_in_nvml.c.
class Meters : public StandInRoot {
 protected:
  void TearDown() override {
    ::unsetenv("HEARTH_STAND_IN_NVML");
    StandInRoot::TearDown();
  }
  static void say(const char* words) { ::setenv("HEARTH_STAND_IN_NVML", words, 1); }
  [[nodiscard]] DeviceMeter meter(const std::string& kind) const {
    return DeviceMeter{{.root = root_, .nvml = stand_in(kind)}};
  }
  static DeviceSource nvml_of(const DeviceMeter& meter) { return meter.sources().at(0); }
  static DeviceUses of(DeviceMeter& meter, const std::vector<pid_t>& processes) {
    return meter.of(processes);
  }
  void put_amd() const {
    put("/sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n");
    put("/proc/100/fdinfo/5",
        "drm-driver: amdgpu\ndrm-pdev: 0000:03:00.0\ndrm-client-id: 1\n"
        "drm-memory-vram: 3 MiB\ndrm-memory-gtt: 2 MiB\n");
  }
};

TEST_F(Meters, ALibraryThatIsMissingIsAbsentAndNothingIsKnownOfIt) {
  DeviceMeter meter{{.root = root_, .nvml = "libhearth-no-such-thing.so.1"}};
  EXPECT_EQ(nvml_of(meter).state, DeviceSource::State::absent);
  EXPECT_NE(nvml_of(meter).detail.find("libhearth-no-such-thing"), std::string::npos);
  EXPECT_TRUE(meter.devices().empty());
  const DeviceUses uses = of(meter, {1, 2});
  EXPECT_TRUE(uses.list.empty());
  EXPECT_TRUE(uses.is_whole);
}

TEST_F(Meters, ALibraryThatLacksAFunctionIsTornAndTheFunctionNamed) {
  DeviceMeter meter = this->meter("torn");
  EXPECT_EQ(nvml_of(meter).state, DeviceSource::State::torn);
  EXPECT_NE(nvml_of(meter).detail.find("nvmlDeviceGetMemoryInfo"), std::string::npos);
  EXPECT_TRUE(meter.devices().empty());
}

TEST_F(Meters, ALibraryWithoutADriverIsRefusedWithTheReason) {
  say("init=9");
  DeviceMeter meter = this->meter("now");
  EXPECT_EQ(nvml_of(meter).state, DeviceSource::State::refused);
  EXPECT_EQ(nvml_of(meter).detail, "NVML: the driver is not loaded");
}

TEST_F(Meters, DevicesHaveTheirNamesAndMemory) {
  DeviceMeter meter = this->meter("now");
  const auto devices = meter.devices();
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[1].id, "nvidia1");
  EXPECT_EQ(devices[1].name, "stand-in 1");
  EXPECT_EQ(devices[1].total, 8_GiB);
  EXPECT_EQ(devices[1].used, 2_GiB);
}

TEST_F(Meters, AProcessCountsOnADeviceWithTheLargerOfItsFigures) {
  for (const char* kind : {"now", "old"}) {
    DeviceMeter meter = this->meter(kind);
    const DeviceUses uses = of(meter, {100, 100});
    EXPECT_TRUE(uses.is_whole) << kind;
    ASSERT_EQ(uses.list.size(), 2U) << kind;
    EXPECT_EQ(uses.list[0].device, "nvidia0");
    EXPECT_EQ(uses.list[0].memory, 600_MiB);
    EXPECT_EQ(uses.list[1].memory, 64_MiB);
  }
}

TEST_F(Meters, LongerAndShorterEntriesOfSomeDriversAreReadAsWell) {
  for (const char* words : {"size=32", "size=16", "size=24"}) {
    say(words);
    DeviceMeter meter = this->meter("now");
    const DeviceUses uses = of(meter, {100, 101});
    EXPECT_TRUE(uses.is_whole) << words;
    ASSERT_EQ(uses.list.size(), 2U) << words;
    EXPECT_EQ(uses.list[0].memory, 600_MiB + 384_MiB) << words;
    EXPECT_EQ(uses.list[1].memory, 64_MiB) << words;
  }
}

TEST_F(Meters, PartsOfADeviceAddUp) {
  DeviceMeter meter = this->meter("now");
  EXPECT_EQ(of(meter, {101}).list.at(0).memory, 384_MiB);
}

TEST_F(Meters, AFigureThatIsKeptBackIsUnknownAndNotEnormous) {
  DeviceMeter meter = this->meter("now");
  const DeviceUses uses = of(meter, {101, 102});
  EXPECT_FALSE(uses.is_whole);
  ASSERT_EQ(uses.list.size(), 1U);
  EXPECT_FALSE(uses.list[0].is_whole);
  EXPECT_EQ(uses.list[0].memory, 384_MiB);
}

TEST_F(Meters, ADeviceThatIsLostInTheMiddleLeavesTheOther) {
  DeviceMeter meter = this->meter("now");
  EXPECT_EQ(meter.devices().size(), 2U);
  say("lost=0");
  const auto devices = meter.devices();
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_TRUE(devices[0].is_lost);
  EXPECT_FALSE(devices[0].total);
  EXPECT_EQ(devices[1].used, 2_GiB);
  const DeviceUses uses = of(meter, {100});
  EXPECT_FALSE(uses.is_whole);
  ASSERT_EQ(uses.list.size(), 1U);
  EXPECT_EQ(uses.list[0].memory, 64_MiB);
}

TEST_F(Meters, ALibraryThatAnswersNoMoreHasFailedAndMayComeBack) {
  DeviceMeter meter = this->meter("now");
  say("count=999");
  EXPECT_TRUE(meter.devices().empty());
  EXPECT_EQ(nvml_of(meter).state, DeviceSource::State::failed);
  EXPECT_FALSE(of(meter, {100}).is_whole);
  say("");
  EXPECT_EQ(meter.devices().size(), 2U);
  EXPECT_EQ(nvml_of(meter).state, DeviceSource::State::working);
}

TEST_F(Meters, ListsOfProcessesThatAreDeniedMakeTheFiguresALowerBound) {
  say("deny=4");
  DeviceMeter meter = this->meter("now");
  EXPECT_FALSE(of(meter, {100}).is_whole);
  say("deny=3");  // a device that knows no processes
  EXPECT_TRUE(of(meter, {100}).is_whole);
}

TEST_F(Meters, BothSourcesTellOfTheirOwnDevices) {
  put_amd();
  DeviceMeter meter = this->meter("now");
  EXPECT_EQ(meter.devices().size(), 3U);
  const DeviceUses uses = of(meter, {100});
  ASSERT_EQ(uses.list.size(), 3U);
  EXPECT_EQ(uses.list[0].device, "0000:03:00.0");
  EXPECT_EQ(uses.list[0].memory, 3_MiB);
  EXPECT_EQ(uses.list[0].unified, 2_MiB);
}

TEST_F(Meters, WhatNvmlTellsIsNotTakenOfTheKernelTwice) {
  put("/sys/class/drm/card0/device/uevent", "DRIVER=nvidia\nPCI_SLOT_NAME=0000:03:00.0\n");
  put("/proc/100/fdinfo/5",
      "drm-driver: nvidia-drm\ndrm-pdev: 0000:03:00.0\ndrm-client-id: 1\n"
      "drm-memory-vram: 600 MiB\n");
  DeviceMeter meter = this->meter("now");
  EXPECT_EQ(meter.devices().size(), 2U);
  EXPECT_EQ(of(meter, {100}).list.at(0).memory, 600_MiB);
  DeviceMeter without{{.root = root_, .nvml = "libhearth-no-such-thing.so.1"}};
  EXPECT_EQ(without.devices().size(), 1U);
  EXPECT_EQ(of(without, {100}).list.at(0).device, "0000:03:00.0");
}

}  // namespace
}  // namespace hearth

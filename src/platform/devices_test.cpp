#include "platform/devices.h"

#include <filesystem>

#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

class DevicesOfTheMachine : public StandInRoot {
 protected:
  [[nodiscard]] std::unique_ptr<Devices> make() const {
    return make_devices({.root = root_, .nvml = "libhearth-no-such-thing.so.1"});
  }
  void put_amd() const {
    put("/sys/class/drm/card0/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n");
    put("/sys/class/drm/card0/device/mem_info_vram_total", "8589934592\n");
    put("/proc/100/fdinfo/5",
        "drm-driver: amdgpu\ndrm-pdev: 0000:03:00.0\ndrm-client-id: 1\n"
        "drm-memory-vram: 3 MiB\ndrm-memory-gtt: 2 MiB\n");
  }
};

TEST_F(DevicesOfTheMachine, AreNoneWhereThereIsNone) { EXPECT_TRUE(make()->list().empty()); }

TEST_F(DevicesOfTheMachine, TellTheirSizeAndWhatEachTreeHolds) {
  put_amd();
  const auto devices = make();
  ASSERT_EQ(devices->list().size(), 1U);
  EXPECT_EQ(devices->list()[0].id, "0000:03:00.0");
  EXPECT_EQ(devices->list()[0].total, 8_GiB);
  const auto held = devices->held({{100}, {101}});
  ASSERT_EQ(held.size(), 2U);
  ASSERT_EQ(held[0].size(), 1U);
  EXPECT_EQ(held[0][0].memory, 3_MiB);
  EXPECT_EQ(held[0][0].unified, 2_MiB);
  EXPECT_TRUE(held[1].empty());
}

TEST_F(DevicesOfTheMachine, OneThatDisappearsIsLost) {
  put_amd();
  const auto devices = make();
  EXPECT_FALSE(devices->list()[0].is_lost);
  std::filesystem::remove_all(root_ + "/sys/class/drm/card0");
  ASSERT_EQ(devices->list().size(), 1U);
  EXPECT_TRUE(devices->list()[0].is_lost);
}

}  // namespace
}  // namespace hearth

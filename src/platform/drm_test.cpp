#include "platform/drm.h"

#include <vector>

#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

constexpr const char* amd =
    "pos:\t0\nflags:\t02\ndrm-driver:\tamdgpu\ndrm-client-id:\t7\ndrm-pdev:\t0000:03:00.0\n"
    "drm-memory-vram:\t2048 KiB\ndrm-total-vram:\t4096 KiB\ndrm-memory-gtt:\t1 MiB\n"
    "drm-memory-cpu:\t0 KiB\ndrm-engine-gfx:\t100 ns\n";

class Drm : public StandInRoot {
 protected:
  void descriptor(const std::string& process, const std::string& number, const std::string& text,
                  const std::string& target = "/dev/dri/renderD128") const {
    put("/proc/" + process + "/fdinfo/" + number, text);
    link("/proc/" + process + "/fd/" + number, target);
  }
  [[nodiscard]] DrmClients clients(const std::vector<pid_t>& processes) const {
    return read_drm_clients(processes, root_);
  }
};

TEST(DrmText, IsAClientWithItsDeviceAndWhatItTakesOfTheMachine) {
  const auto client = parse_drm_client(amd);
  ASSERT_TRUE(client);
  EXPECT_EQ(client->driver, "amdgpu");
  EXPECT_EQ(client->bus, "0000:03:00.0");
  EXPECT_EQ(client->id, 7U);
  EXPECT_EQ(client->device, 2_MiB);
  EXPECT_EQ(client->unified, 1_MiB);
}

TEST(DrmText, OfAnIntegratedDeviceIsUnifiedAlone) {
  const auto client = parse_drm_client(
      "drm-driver: i915\ndrm-pdev: 0000:00:02.0\ndrm-client-id: 3\n"
      "drm-total-system0: 8 MiB\ndrm-resident-system0: 5 MiB\ndrm-shared-system0: 1 MiB\n"
      "drm-total-stolen-system0: 0\n");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->device, 0_MiB);
  EXPECT_EQ(client->unified, 5_MiB);
}

TEST(DrmText, OfSeveralTilesAddsUpAndOnChipRegionsDoNot) {
  const auto client = parse_drm_client(
      "drm-driver: xe\ndrm-client-id: 3\ndrm-resident-vram0: 1 MiB\n"
      "drm-resident-vram1: 2 MiB\ndrm-memory-gds: 64 MiB\n");
  ASSERT_TRUE(client);
  EXPECT_EQ(client->device, 3_MiB);
  EXPECT_EQ(client->unified, 0_MiB);
}

TEST(DrmText, OfAnythingElseIsNone) {
  EXPECT_FALSE(parse_drm_client("pos: 0\nflags: 02\n"));
  EXPECT_FALSE(parse_drm_client(""));
  const auto odd = parse_drm_client("drm-driver: a\ndrm-memory-vram: 99999999999999999999 KiB\n");
  EXPECT_EQ(odd->device, 0_MiB);
  EXPECT_EQ(parse_drm_client("drm-driver: a\ndrm-memory-vram: 1 furlong\n")->device, 0_MiB);
}

TEST_F(Drm, AClientIsCountedOnceThoughDescriptorsAndProcessesShareIt) {
  descriptor("10", "3", amd);
  descriptor("10", "4", amd);
  descriptor("11", "3", amd);
  const DrmClients found = clients({10, 11});
  EXPECT_TRUE(found.is_whole);
  ASSERT_EQ(found.list.size(), 1U);
  EXPECT_EQ(found.list[0].device, 2_MiB);
}

TEST_F(Drm, OneNumberOfTwoDevicesIsTwoClients) {
  descriptor("10", "3", amd);
  std::string other = amd;
  other.replace(other.find("03:00"), 5, "04:00");
  descriptor("10", "4", other);
  EXPECT_EQ(clients({10}).list.size(), 2U);
}

TEST_F(Drm, DescriptorsOfOrdinaryFilesAreNotRead) {
  descriptor("10", "3", amd, "/tmp/file");
  EXPECT_TRUE(clients({10}).list.empty());
}

TEST_F(Drm, WithoutAnIdTheLargestDescriptorCountsAndItIsSaid) {
  descriptor("10", "3", "drm-driver: old\ndrm-memory-vram: 1 MiB\n");
  descriptor("10", "4", "drm-driver: old\ndrm-memory-vram: 3 MiB\n");
  const DrmClients found = clients({10});
  EXPECT_FALSE(found.is_whole);
  ASSERT_EQ(found.list.size(), 1U);
  EXPECT_EQ(found.list[0].device, 3_MiB);
}

TEST_F(Drm, AProcessThatHasEndedHoldsNothing) {
  const DrmClients found = clients({12345});
  EXPECT_TRUE(found.is_whole);
  EXPECT_TRUE(found.list.empty());
}

TEST_F(Drm, DevicesAreCardsAndNotTheirOutputs) {
  put("/sys/class/drm/card1/device/uevent", "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n");
  put("/sys/class/drm/card1/device/mem_info_vram_total", "8589934592\n");
  put("/sys/class/drm/card1/device/mem_info_vram_used", "1048576\n");
  put("/sys/class/drm/card0/device/uevent", "DRIVER=i915\nPCI_SLOT_NAME=0000:00:02.0\n");
  put("/sys/class/drm/card1-HDMI-A-1/device/uevent", "DRIVER=none\n");
  put("/sys/class/drm/renderD128/device/uevent", "DRIVER=amdgpu\n");
  const auto devices = read_drm_devices(root_);
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0].driver, "i915");
  EXPECT_FALSE(devices[0].total);
  EXPECT_EQ(devices[1].total, 8_GiB);
  EXPECT_EQ(devices[1].used, 1_MiB);
}

}  // namespace
}  // namespace hearth

#include "platform/stall.h"

#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

constexpr const char* calm =
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";

class Stalls : public StandInRoot {};

TEST(StallText, HasSharesOfOneAndTotalsInTime) {
  const auto stall = parse_stall(
      "some avg10=12.34 avg60=5.00 avg300=1.00 total=1500\n"
      "full avg10=100.00 avg60=0.00 avg300=0.00 total=7\n");
  ASSERT_TRUE(stall);
  EXPECT_DOUBLE_EQ(stall->some.share_10s, 0.1234);
  EXPECT_EQ(stall->some.total, 1500us);
  EXPECT_DOUBLE_EQ(stall->full.share_10s, 1);
  EXPECT_EQ(stall->full.total, 7us);
}

TEST(StallText, ThatIsCutOrNotANumberIsRefused) {
  EXPECT_FALSE(parse_stall(""));
  EXPECT_FALSE(parse_stall("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"));
  EXPECT_FALSE(parse_stall("some avg10=x total=1\nfull avg10=0.00 total=1\n"));
  EXPECT_FALSE(parse_stall("some avg10=101.00 total=1\nfull avg10=0.00 total=1\n"));
  EXPECT_FALSE(parse_stall("some avg10=0.00\nfull avg10=0.00 total=1\n"));
  EXPECT_FALSE(parse_stall("some avg10=0.00 total=18446744073709551615\nfull avg10=0.00 total=1"));
}

TEST(SwapText, IsCountedInPagesAndBytes) {
  const auto activity = parse_swap_activity("nr_free_pages 5\npswpin 12\npswpout 340\n");
  ASSERT_TRUE(activity);
  EXPECT_EQ(activity->pages_in, 12U);
  EXPECT_EQ(activity->pages_out, 340U);
  EXPECT_FALSE(parse_swap_activity("pswpin 12\npswpoutward 3\n"));
  const auto space = parse_swap_space("MemTotal: 8 kB\nSwapTotal:  2048 kB\nSwapFree:  1024 kB\n");
  ASSERT_TRUE(space);
  EXPECT_EQ(space->total, 2_MiB);
  EXPECT_EQ(space->free, 1_MiB);
  EXPECT_FALSE(parse_swap_space("SwapTotal: 1 kB\nSwapFree: 2 kB\n"));
}

TEST(ZramText, IsOriginalCompressedAndUsed) {
  const auto zram = parse_zram("  8192  1024  4096  0  4096  1  0  0  0\n");
  ASSERT_TRUE(zram);
  EXPECT_EQ(zram->original, 8_KiB);
  EXPECT_EQ(zram->compressed, 1_KiB);
  EXPECT_EQ(zram->used, 4_KiB);
  EXPECT_FALSE(parse_zram("8192 1024"));
  EXPECT_FALSE(parse_zram("18446744073709551615 1 1"));
}

TEST_F(Stalls, OfAMachineWithoutThemAreNotFound) {
  const auto stall = read_stall(root_);
  ASSERT_FALSE(stall);
  EXPECT_EQ(stall.error().code, Errc::not_found);
  EXPECT_EQ(read_swap_space(root_).error().code, Errc::not_found);
  EXPECT_EQ(read_zram(root_).devices, 0);
}

TEST_F(Stalls, AreReadOfTheMachineAndOfAGroup) {
  put("/proc/pressure/memory", calm);
  put("/sys/fs/cgroup/a/memory.pressure",
      "some avg10=0.50 avg60=0.00 avg300=0.00 total=9\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=2\n");
  EXPECT_EQ(read_stall(root_)->some.total, 0us);
  EXPECT_EQ(read_group_stall(root_ + "/sys/fs/cgroup/a")->full.total, 2us);
}

TEST_F(Stalls, InAnotherFormAreToldAsCorrupt) {
  put("/proc/pressure/memory", "nothing\n");
  EXPECT_EQ(read_stall(root_).error().code, Errc::corrupt);
}

TEST_F(Stalls, ZramDevicesAddUpAndThoseNotSetUpAreNone) {
  put("/sys/block/zram0/disksize", "1048576\n");
  put("/sys/block/zram0/mm_stat", "4096 100 8192 0 8192 0 0 0 0\n");
  put("/sys/block/zram1/disksize", "1048576\n");
  put("/sys/block/zram1/mm_stat", "4096 50 4096 0 8192 0 0 0 0\n");
  put("/sys/block/zram2/disksize", "0\n");
  put("/sys/block/zram2/mm_stat", "0 0 0 0 0 0 0 0 0\n");
  put("/sys/block/sda/size", "1\n");
  const Zram zram = read_zram(root_);
  EXPECT_EQ(zram.devices, 2);
  EXPECT_EQ(zram.disk, 2_MiB);
  EXPECT_EQ(zram.original, 8_KiB);
  EXPECT_EQ(zram.compressed, Bytes{150});
  EXPECT_EQ(zram.used, 12_KiB);
}

}  // namespace
}  // namespace hearth

#include "platform/machine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

class FakeRoot : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-machine-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    put("/proc/meminfo", "MemTotal:  8192 kB\nMemFree: 100 kB\nMemAvailable:    4096 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path{root_ + path}.parent_path());
    std::ofstream{root_ + path} << text;
  }
  std::string root_;
};

TEST(MemInfo, IsReadOrRefused) {
  EXPECT_EQ(parse_meminfo("MemTotal: 1 kB\nMemAvailable: 2 kB\n")->available, 2_KiB);
  EXPECT_FALSE(parse_meminfo("MemTotal: 1 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: x kB\nMemAvailable"));
}

TEST_F(FakeRoot, WithoutGroupsIsTheMachine) {
  const auto machine = make_machine(root_);
  EXPECT_EQ(machine->memory_total(), 8_MiB);
  EXPECT_EQ(machine->memory_signs().available, 4_MiB);
}

TEST_F(FakeRoot, TheLimitOfAnyGroupAboveCountsToo) {
  put("/proc/self/cgroup", "0::/user/hearth\n");
  put("/sys/fs/cgroup/user/hearth/memory.max", "max\n");
  put("/sys/fs/cgroup/user/memory.max", "2097152\n");
  put("/sys/fs/cgroup/user/memory.current", "1572864\n");
  put("/sys/fs/cgroup/user/memory.stat", "anon 1\ninactive_file 524288\n");
  const auto machine = make_machine(root_);
  EXPECT_EQ(machine->memory_total(), 2_MiB);
  EXPECT_EQ(machine->memory_signs().available, 1_MiB);
}

TEST_F(FakeRoot, VersionOneIsReadAsWell) {
  put("/proc/self/cgroup", "3:cpu:/\n2:memory:/box\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1048576\n");
  put("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "1048576\n");
  put("/sys/fs/cgroup/memory/box/memory.stat", "inactive_file 1\ntotal_inactive_file 262144\n");
  const auto machine = make_machine(root_);
  EXPECT_EQ(machine->memory_total(), 1_MiB);
  EXPECT_EQ(machine->memory_signs().available, 256_KiB);
}

TEST_F(FakeRoot, ItTellsWhoseLimitIsNearAndWhatProgramsSuffer) {
  EXPECT_FALSE(make_machine(root_)->memory_signs().is_own_limit);
  put("/proc/pressure/memory",
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\nfull avg10=0.00 avg60=0.00 "
      "avg300=0.00 total=7\n");
  put("/proc/vmstat", "nr_free_pages 1\npswpin 100\npswpout 200\n");
  put("/proc/self/cgroup", "0::/box\n");
  put("/sys/fs/cgroup/box/memory.max", "1048576\n");
  put("/sys/fs/cgroup/box/memory.current", "524288\n");
  const MemorySigns signs = make_machine(root_)->memory_signs();
  EXPECT_TRUE(signs.is_own_limit);
  EXPECT_EQ(signs.available, 512_KiB);
  EXPECT_EQ(signs.stalled, 1500ms);
  EXPECT_EQ(signs.swapped, Bytes{300 * 4096});
}

TEST(Machine, OfThisTestHasMemory) {
  const auto machine = make_machine();
  EXPECT_GT(machine->memory_total(), 64_MiB);
  EXPECT_LT(machine->memory_total(), Bytes::unlimited());
  EXPECT_LE(machine->memory_signs().available, machine->memory_total());
  EXPECT_GT(machine->own_rss(), 500_KiB);
}

}  // namespace
}  // namespace hearth

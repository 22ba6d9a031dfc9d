#include "platform/group_facts.h"

#include <unistd.h>

#include <filesystem>
#include <string>

#include "platform/stand_in_root_testing.h"

namespace hearth {
namespace {

constexpr const char* both_mounts =
    "proc /proc proc rw 0 0\n"
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"
    "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
    "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0\n"
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n";

class Groups : public StandInRoot {};

TEST(GroupTexts, AreJoinedByController) {
  const auto groups =
      parse_groups("3:cpu,cpuacct:/\n2:memory:/box\n1:name=systemd:/a\n0::/box\n", both_mounts);
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].directory, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(groups[0].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(groups[1].directory, "/sys/fs/cgroup/memory/box");
  EXPECT_FALSE(groups[1].is_version_2);
  EXPECT_EQ(groups[2].directory, "/sys/fs/cgroup/unified/box");
  EXPECT_TRUE(groups[2].is_version_2);
}

TEST(GroupTexts, WithoutOurPathOrAMountAreNoHierarchy) {
  EXPECT_TRUE(parse_groups("", both_mounts).empty());
  EXPECT_TRUE(parse_groups("0::/a\n", "").empty());
  EXPECT_TRUE(parse_groups("0:no colon\n", "cgroup2\n").empty());
}

TEST_F(Groups, OfVersionTwoHaveTheControllersOfOurGroup) {
  put("/proc/self/cgroup", "0::/user/hearth\n");
  put("/proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
  put("/sys/fs/cgroup/user/hearth/cgroup.controllers", "memory pids\n");
  const auto groups = read_groups(root_);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].controllers, (std::vector<std::string>{"memory", "pids"}));
}

// Of this process: others may be trying too.
bool has_tried_group() {
  const std::string name = "/hearth-doctor-" + std::to_string(::getpid());
  for (const GroupHierarchy& group : read_groups()) {
    if (std::filesystem::exists(group.directory + name)) return true;
  }
  return false;
}

TEST(GroupTrial, TellsTheSameTwiceAndLeavesNoGroupBehind) {
  const GroupTrial trial = try_groups();
  EXPECT_EQ(try_groups(), trial);
  EXPECT_FALSE(has_tried_group());
}

}  // namespace
}  // namespace hearth

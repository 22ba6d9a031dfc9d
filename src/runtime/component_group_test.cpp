#include "runtime/component_group.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/files.h"
#include "runtime/own_group.h"
#include "runtime/spawn.h"

namespace hearth {
namespace {

bool is_member(const std::string& directory, pid_t process) {
  const auto members = read_file(directory + "/cgroup.procs");
  return members && ("\n" + *members).find("\n" + std::to_string(process) + "\n") != members->npos;
}

// Whether one of the group's directories has this file with this text, and the process in it.
bool holds(const ComponentGroup& group, const std::string& file, const std::string& text,
           pid_t process) {
  for (const std::string& directory : group.directories()) {
    const auto found = read_file(directory + "/" + file);
    if (!found || found->substr(0, found->find('\n')) != text) continue;
    if (is_member(directory, process)) return true;
  }
  return false;
}

Spawned start_in(const ComponentGroup& group, std::vector<std::string> arguments) {
  const Descriptor nothing{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  return spawn_program({.arguments = std::move(arguments),
                        .output = nothing.get(),
                        .birthplace = group.birthplace(),
                        .groups = group.doors()});
}

void end(pid_t child, const ComponentGroup& group) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  group.remove();
  for (const std::string& directory : group.directories()) {
    EXPECT_FALSE(std::filesystem::exists(directory)) << directory;
  }
}

TEST(ComponentGroup, IsMadeWithoutLimitsTooWhereTheSystemLetsUs) {
  const ComponentGroup group = ComponentGroup::make("plain", {});
  EXPECT_TRUE(group.is_complete());
  const Spawned child = start_in(group, {"sleep", "600"});
  ASSERT_EQ(child.error, 0);
  EXPECT_TRUE(child.is_in_groups);
  for (const std::string& directory : group.directories()) {
    EXPECT_TRUE(is_member(directory, child.process)) << directory;
  }
  end(child.process, group);
  if (group.directories().empty()) GTEST_SKIP() << "no control group can be made here";
}

TEST(ComponentGroup, EachLimitIsInForceOrTheGroupSaysThatOneIsNot) {
  const ComponentGroup group =
      ComponentGroup::make("test", {.memory = 64_MiB, .pids = 9, .cpu_us = 150'000});
  const Spawned child = start_in(group, {"sleep", "600"});
  ASSERT_EQ(child.error, 0);
  EXPECT_TRUE(child.is_in_groups);
  const pid_t process = child.process;
  const bool has_memory = holds(group, "memory.max", "67108864", process) ||
                          holds(group, "memory.limit_in_bytes", "67108864", process);
  const bool has_pids = holds(group, "pids.max", "9", process);
  const bool has_cpu = holds(group, "cpu.max", "150000 100000", process) ||
                       holds(group, "cpu.cfs_quota_us", "150000", process);
  EXPECT_EQ(group.is_complete(), has_memory && has_pids && has_cpu);
  end(process, group);
}

// In version 2 by the brake and by no swap at all, in version 1 by one limit for both.
TEST(ComponentGroup, ALimitOfMemoryHoldsWithSwapToo) {
  const DaemonLeaf leaf = DaemonLeaf::enter();
  const ComponentGroup group = ComponentGroup::make("swap", {.memory = 64_MiB});
  const Spawned child = start_in(group, {"sleep", "600"});
  ASSERT_EQ(child.error, 0);
  const std::string& directory = group.memory_directory();
  if (holds(group, "memory.max", "67108864", child.process)) {
    EXPECT_EQ(read_file(directory + "/memory.high").value_or(""), "58720256\n");
    EXPECT_EQ(read_file(directory + "/memory.oom.group").value_or(""), "1\n");
    EXPECT_EQ(read_file(directory + "/memory.swap.max").value_or("0\n"), "0\n");
  } else if (!directory.empty()) {
    // The file is absent where the kernel does not count swap.
    EXPECT_EQ(read_file(directory + "/memory.memsw.limit_in_bytes").value_or("67108864\n"),
              "67108864\n");
  }
  end(child.process, group);
  EXPECT_FALSE(directory.empty() && leaf.is_entered());
  if (directory.empty()) GTEST_SKIP() << "no control group for memory can be made here";
}

TEST(ComponentGroup, WhatAKilledSupervisorHasLeftIsRemovedAndWhatRunsIsNot) {
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    (void)ComponentGroup::make("left", {});
    ::_exit(0);
  }
  const std::string left = "hearth-left-" + std::to_string(supervisor);
  ::waitpid(supervisor, nullptr, 0);
  const ComponentGroup ours = ComponentGroup::make("ours", {});
  ComponentGroup::remove_stale();
  for (const std::string& directory : ours.directories()) {
    EXPECT_TRUE(std::filesystem::exists(directory)) << directory;
    const std::string beside = directory.substr(0, directory.rfind('/') + 1) + left;
    EXPECT_FALSE(std::filesystem::exists(beside)) << beside;
  }
  ours.remove();
  if (ours.directories().empty()) GTEST_SKIP() << "no control group can be made here";
}

// A process that is moved after it has begun leaves behind what it forked before.
TEST(ComponentGroup, WhatAProgramForksAtOnceIsInIt) {
  const ComponentGroup group = ComponentGroup::make("forks", {});
  const std::string output = ::testing::TempDir() + "forks-" + std::to_string(::getpid());
  const Spawned child =
      start_in(group, {"/bin/sh", "-c", "cat /proc/self/cgroup >" + output + " & wait"});
  ASSERT_EQ(child.error, 0);
  ::waitpid(child.process, nullptr, 0);
  const auto text = read_file(output);
  std::filesystem::remove(output);
  ASSERT_TRUE(text);
  for (const std::string& directory : group.directories()) {
    const std::string name = directory.substr(directory.rfind('/'));
    EXPECT_NE(text->find(name + "\n"), text->npos) << *text;
  }
  group.remove();
  if (group.directories().empty()) GTEST_SKIP() << "no control group can be made here";
}

TEST(ComponentGroup, IsHeldBackFromASixteenthBelowItsLimitOnAndAnEighthIfThatIsLittle) {
  EXPECT_EQ(throttle_at(64_MiB), 56_MiB);
  EXPECT_EQ(throttle_at(256_MiB), 224_MiB);
  EXPECT_EQ(throttle_at(384_MiB), 352_MiB);
  EXPECT_EQ(throttle_at(1_GiB), 960_MiB);
  EXPECT_EQ(throttle_at(Bytes{7}), Bytes{7});
}

}  // namespace
}  // namespace hearth

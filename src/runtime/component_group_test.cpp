#include "runtime/component_group.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/files.h"

namespace hearth {
namespace {

// Whether one of the group's directories has this file with this text, and the process in it.
bool holds(const ComponentGroup& group, const std::string& file, const std::string& text,
           pid_t process) {
  for (const std::string& directory : group.directories()) {
    const auto found = read_file(directory + "/" + file);
    if (!found || found->substr(0, found->find('\n')) != text) continue;
    const auto members = read_file(directory + "/cgroup.procs");
    if (members && ("\n" + *members).find("\n" + std::to_string(process) + "\n") != members->npos) {
      return true;
    }
  }
  return false;
}

TEST(ComponentGroup, WithoutLimitsNoneIsMade) {
  const ComponentGroup group = ComponentGroup::make("none", {});
  EXPECT_TRUE(group.directories().empty());
  EXPECT_TRUE(group.add(::getpid()));
}

TEST(ComponentGroup, EachLimitIsInForceOrTheGroupSaysThatOneIsNot) {
  ComponentGroup group =
      ComponentGroup::make("test", {.memory = 64_MiB, .pids = 9, .cpu_us = 150'000});
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  const bool is_complete = group.add(child);
  const bool has_memory = holds(group, "memory.max", "67108864", child) ||
                          holds(group, "memory.limit_in_bytes", "67108864", child);
  const bool has_pids = holds(group, "pids.max", "9", child);
  const bool has_cpu = holds(group, "cpu.max", "150000 100000", child) ||
                       holds(group, "cpu.cfs_quota_us", "150000", child);
  EXPECT_EQ(is_complete, has_memory && has_pids && has_cpu);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  group.remove();
  for (const std::string& directory : group.directories()) {
    EXPECT_FALSE(std::filesystem::exists(directory)) << directory;
  }
}

}  // namespace
}  // namespace hearth

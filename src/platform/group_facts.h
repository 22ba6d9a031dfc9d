// Which control groups this process has, and what it may do with them.
//
// Contract   parse_groups() joins /proc/self/cgroup with /proc/self/mounts: one entry a mounted
//            hierarchy of version 1 or 2 that we are in, with our own directory in it. The
//            controllers of version 2 are not in these texts; read_groups() adds those that our
//            group has. try_groups() makes groups as the daemon does for a component with limits,
//            puts a child of ours into them, asks the kernel what it allows, and removes all of it
//            again: what it tells was seen, not concluded. It tells of a daemon that is started
//            from here; a service manager may give the daemon more.
// Errors     none: what cannot be read or made is not there.
// Threads    parse_groups() is pure, read_groups() thread-safe; try_groups() forks, so it is for a
//            process with one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct GroupHierarchy {
  std::string mount;      // "/sys/fs/cgroup/memory"
  std::string directory;  // our own group's
  bool is_version_2 = false;
  std::vector<std::string> controllers;
};

[[nodiscard]] std::vector<GroupHierarchy> parse_groups(std::string_view self_cgroup,
                                                       std::string_view mounts);
// `root` stands for "/" in tests.
[[nodiscard]] std::vector<GroupHierarchy> read_groups(const std::string& root = "");

struct GroupTrial {
  // In force on a child that was put there.
  bool has_memory_limit = false;
  bool has_pids_limit = false;
  bool has_cpu_limit = false;
  bool can_freeze = false;    // cgroup.freeze of a group of ours
  bool can_reclaim = false;   // memory.reclaim of a group of ours
  bool can_page_out = false;  // process_madvise(MADV_PAGEOUT) of a child
  bool operator==(const GroupTrial&) const = default;
};
[[nodiscard]] GroupTrial try_groups();

}  // namespace hearth

#include "runtime/component_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>

#include "runtime/files.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

constexpr std::string_view prefix = "hearth-";

// Where groups of components may be made.
std::optional<std::string> base_below(const std::string& mount, std::string_view controller) {
  const auto own = own_group(controller);
  if (!own) return std::nullopt;
  std::string base = mount + (*own == "/" ? "" : group_for_components(*own));
  // Kinds that are not mounted would leave an ordinary directory: ask for a file of theirs first.
  if (::access((base + "/cgroup.procs").c_str(), W_OK) != 0) return std::nullopt;
  return base;
}

std::optional<std::string> make_below(const std::string& mount, std::string_view controller,
                                      const std::string& name) {
  const auto base = base_below(mount, controller);
  if (!base) return std::nullopt;
  const std::string path =
      *base + "/" + std::string{prefix} + name + "-" + std::to_string(::getpid());
  if (::mkdir(path.c_str(), 0755) != 0) return std::nullopt;
  return path;
}

// A limit, as each version wants it. Those of version 1 are put in order: swap comes after memory.
struct Limit {
  std::string_view controller;  // and the mount of version 1
  std::string_view file;        // of version 2
  std::string text;
  std::string_view old_file;  // of version 1
  std::string old_text;
};

std::vector<Limit> limits_wanted(const GroupLimits& limits) {
  std::vector<Limit> wanted;
  if (limits.memory > Bytes{}) {
    const std::string bytes = std::to_string(limits.memory.count);
    wanted.push_back({"memory", "memory.max", bytes, "memory.limit_in_bytes", bytes});
  }
  if (limits.pids > 0) {
    const std::string count = std::to_string(limits.pids);
    wanted.push_back({"pids", "pids.max", count, "pids.max", count});
  }
  if (limits.cpu_us > 0) {
    // The period is the kernel's default in both versions.
    const std::string quota = std::to_string(limits.cpu_us);
    wanted.push_back({"cpu", "cpu.max", quota + " 100000", "cpu.cfs_quota_us", quota});
  }
  return wanted;
}

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

// A sixteenth of the limit is room enough to be slowed down in, and little enough to be no loss;
// below half a GiB more of it, to an eighth, because the kernel's brake needs some hundred steps of
// 256 KiB to work before memory.max ends what goes on asking.
Bytes throttle_at(Bytes limit) {
  const std::uint64_t room = std::max(limit.count / 16, std::min(limit.count / 8, (32_MiB).count));
  return less(limit, Bytes{room});
}

ComponentGroup ComponentGroup::make(const std::string& name, const GroupLimits& limits) {
  std::vector<Limit> wanted = limits_wanted(limits);
  ComponentGroup group;
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    const auto path = make_below(mount, "", name);
    if (!path) continue;
    group.directories_.push_back(*path);
    group.is_new_ = true;
    std::erase_if(wanted, [&](const Limit& limit) {
      return put_into(*path + "/" + std::string{limit.file}, limit.text);
    });
    break;
  }
  if (group.is_new_ && is_there(group.directories_[0] + "/memory.events")) {
    const std::string& path = group.directories_[0];
    group.memory_directory_ = path;
    // Older kernels have no such file: supervise.cpp then ends what is left of the group.
    (void)put_into(path + "/memory.oom.group", "1");
    if (limits.memory > Bytes{}) {
      const Bytes high = throttle_at(limits.memory);
      (void)put_into(path + "/memory.high", std::to_string(high.count));
      // Absent where the kernel does not count swap: there is none to escape to then.
      (void)put_into(path + "/memory.swap.max", "0");
    }
  }
  std::erase_if(wanted, [&](const Limit& limit) {
    const std::string mount = "/sys/fs/cgroup/" + std::string{limit.controller};
    const auto path = make_below(mount, limit.controller, name);
    if (!path) return false;
    group.directories_.push_back(*path);
    const bool is_put = put_into(*path + "/" + std::string{limit.old_file}, limit.old_text);
    if (is_put && limit.controller == "memory") {
      group.memory_directory_ = *path;
      (void)put_into(*path + "/memory.memsw.limit_in_bytes", limit.old_text);
    }
    return is_put;
  });
  group.is_complete_ = wanted.empty();
  return group;
}

Descriptor ComponentGroup::birthplace() const {
  if (!is_new_) return {};
  return Descriptor{::open(directories_[0].c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

std::vector<Descriptor> ComponentGroup::doors() const {
  std::vector<Descriptor> doors;
  for (std::size_t i = is_new_ ? 1 : 0; i < directories_.size(); ++i) {
    const std::string& directory = directories_[i];
    doors.emplace_back(::open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  }
  return doors;
}

bool ComponentGroup::add(pid_t process) const {
  bool is_in = is_complete_;
  for (const std::string& directory : directories_) {
    is_in = put_into(directory + "/cgroup.procs", std::to_string(process)) && is_in;
  }
  return is_in;
}

void ComponentGroup::remove_stale() {
  struct Mount {
    std::string path;
    std::string_view controller;
  };
  const std::vector<Mount> mounts{{"/sys/fs/cgroup", ""},
                                  {"/sys/fs/cgroup/unified", ""},
                                  {"/sys/fs/cgroup/memory", "memory"},
                                  {"/sys/fs/cgroup/pids", "pids"},
                                  {"/sys/fs/cgroup/cpu", "cpu"}};
  for (const Mount& mount : mounts) {
    const auto base = base_below(mount.path, mount.controller);
    if (!base) continue;
    std::error_code error;
    std::vector<std::string> stale;
    for (const auto& entry : std::filesystem::directory_iterator{*base, error}) {
      const std::string name = entry.path().filename().string();
      const std::size_t dash = name.rfind('-');
      if (!name.starts_with(prefix) || dash <= prefix.size()) continue;
      const std::string process = name.substr(dash + 1);
      const bool is_number = process.find_first_not_of("0123456789") == process.npos;
      if (is_number && !is_there("/proc/" + process)) stale.push_back(entry.path().string());
    }
    // What still runs in one keeps it.
    for (const std::string& path : stale) (void)::rmdir(path.c_str());
  }
}

void ComponentGroup::kill() const {
  for (const std::string& directory : directories_) (void)put_into(directory + "/cgroup.kill", "1");
}

void ComponentGroup::remove() const {
  for (const std::string& directory : directories_) (void)::rmdir(directory.c_str());
}

}  // namespace hearth

#include "runtime/component_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string_view>

#include "runtime/files.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

std::optional<std::string> make_below(const std::string& mount, std::string_view controller,
                                      const std::string& name) {
  const auto own = own_group(controller);
  if (!own) return std::nullopt;
  const std::string base = mount + (*own == "/" ? "" : group_for_components(*own));
  // Kinds that are not mounted would leave an ordinary directory: ask for a file of theirs first.
  if (::access((base + "/cgroup.procs").c_str(), W_OK) != 0) return std::nullopt;
  const std::string path = base + "/hearth-" + name + "-" + std::to_string(::getpid());
  if (::mkdir(path.c_str(), 0755) != 0) return std::nullopt;
  return path;
}

}  // namespace

ComponentGroup ComponentGroup::make(const std::string& name, const GroupLimits& limits) {
  struct Limit {
    std::string_view controller;  // and the mount of version 1
    std::string_view file;        // of version 2
    std::string text;
    std::string_view old_file;  // of version 1
    std::string old_text;
  };
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
  ComponentGroup group;
  if (wanted.empty()) return group;
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    const auto path = make_below(mount, "", name);
    if (!path) continue;
    group.directories_.push_back(*path);
    std::erase_if(wanted, [&](const Limit& limit) {
      return put_into(*path + "/" + std::string{limit.file}, limit.text);
    });
    break;
  }
  std::erase_if(wanted, [&](const Limit& limit) {
    const std::string mount = "/sys/fs/cgroup/" + std::string{limit.controller};
    const auto path = make_below(mount, limit.controller, name);
    if (!path) return false;
    group.directories_.push_back(*path);
    return put_into(*path + "/" + std::string{limit.old_file}, limit.old_text);
  });
  group.is_complete_ = wanted.empty();
  return group;
}

bool ComponentGroup::add(pid_t process) const {
  bool is_in = is_complete_;
  for (const std::string& directory : directories_) {
    is_in = put_into(directory + "/cgroup.procs", std::to_string(process)) && is_in;
  }
  return is_in;
}

void ComponentGroup::kill() const {
  for (const std::string& directory : directories_) (void)put_into(directory + "/cgroup.kill", "1");
}

void ComponentGroup::remove() const {
  for (const std::string& directory : directories_) (void)::rmdir(directory.c_str());
}

}  // namespace hearth

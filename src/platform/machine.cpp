#include "platform/machine.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "platform/battery.h"
#include "platform/stall.h"
#include "runtime/files.h"
#include "runtime/lines.h"
#include "runtime/memory_alarm.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

std::optional<Bytes> bytes_in(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  const auto value = whole_number(*text);  // "max" is none
  if (!value) return std::nullopt;
  return Bytes{std::min(*value, Bytes::unlimited().count)};
}

struct GroupPaths {
  std::string directory;
  std::string stop;  // the mount: nothing above it is looked at
  bool is_version_2 = false;
};

class LinuxMachine : public Machine {
 public:
  explicit LinuxMachine(std::string root) : root_(std::move(root)) {}

  [[nodiscard]] Bytes memory_total() const override {
    const Bytes physical = meminfo().total;
    Bytes total = physical;
    for (const GroupPaths& paths : groups()) {
      for_each_level(paths, [&](const std::string&, const GroupMemory& group) {
        total = std::min(total, group.limit);
      });
    }
    return total;
  }

  [[nodiscard]] MemorySigns memory_signs() const override {
    MemorySigns signs;
    signs.available = meminfo().available;
    for (const GroupPaths& paths : groups()) {
      for_each_level(paths, [&](const std::string&, const GroupMemory& group) {
        if (group.limit == Bytes::unlimited()) return;
        const Bytes left = less(group.limit, group.used);
        if (left >= signs.available) return;
        signs.available = left;
        signs.is_own_limit = true;
      });
    }
    // Where the kernel does not tell them, memory alone speaks.
    if (const auto stall = read_stall(root_)) signs.stalled = stall->some.total;
    if (const auto swap = read_swap_activity(root_)) {
      constexpr std::uint64_t pages_max = Bytes::unlimited().count >> 16;
      const std::uint64_t pages =
          std::min(swap->pages_in, pages_max) + std::min(swap->pages_out, pages_max);
      signs.swapped = Bytes{pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
    }
    return signs;
  }

  [[nodiscard]] PowerSigns power_signs() const override {
    const Power power = read_power(root_);
    return {.is_on_battery = power.is_on_battery, .charge = power.charge_share.value_or(1)};
  }
  [[nodiscard]] Bytes own_rss() const override {
    const auto text = read_file(root_ + "/proc/self/statm");
    if (!text) return {};
    const std::size_t space = text->find(' ');
    std::uint64_t pages = 0;
    if (space != std::string::npos) {
      (void)std::from_chars(text->data() + space + 1, text->data() + text->size(), pages);
    }
    return Bytes{pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
  }

  // Of the machine, and of the limits of version 2 that we are within.
  [[nodiscard]] std::vector<int> alarms() override {
    if (root_.empty() && alarms_.empty()) open_alarms();
    std::vector<int> descriptors;
    for (const Descriptor& alarm : alarms_) descriptors.push_back(alarm.get());
    return descriptors;
  }

 private:
  void open_alarms() {
    const auto keep = [this](Result<Descriptor> alarm) {
      if (alarm) alarms_.push_back(std::move(*alarm));
    };
    keep(stall_alarm("/proc/pressure/memory"));
    for (const GroupPaths& paths : groups()) {
      if (!paths.is_version_2) continue;
      for_each_level(paths, [&](const std::string& directory, const GroupMemory& group) {
        if (group.limit == Bytes::unlimited()) return;
        keep(limit_alarm(directory));
        keep(stall_alarm(directory + "/memory.pressure"));
      });
    }
  }

  [[nodiscard]] MemInfo meminfo() const {
    const auto text = read_file(root_ + "/proc/meminfo");
    const auto parsed = text ? parse_meminfo(*text) : std::nullopt;
    return parsed.value_or(MemInfo{Bytes::unlimited(), Bytes::unlimited()});
  }

  [[nodiscard]] std::vector<GroupPaths> groups() const {
    std::vector<GroupPaths> found;
    const auto text = read_file(root_ + "/proc/self/cgroup");
    for (const GroupPlace& place : parse_own_groups(text.value_or(""))) {
      const std::string below = place.path == "/" ? "" : place.path;
      if (place.controllers.empty()) {
        const std::string mount = root_ + "/sys/fs/cgroup";
        found.push_back({mount + below, mount, true});
      } else if (std::ranges::find(place.controllers, "memory") != place.controllers.end()) {
        const std::string mount = root_ + "/sys/fs/cgroup/memory";
        found.push_back({mount + below, mount, false});
      }
    }
    return found;
  }

  template <class Use>
  static void for_each_level(const GroupPaths& paths, const Use& use) {
    std::filesystem::path directory{paths.directory};
    while (directory.string().size() >= paths.stop.size() && !directory.empty()) {
      use(directory.string(), read_group(directory.string(), paths.is_version_2));
      if (directory == directory.parent_path()) return;
      directory = directory.parent_path();
    }
  }

  static GroupMemory read_group(const std::string& directory, bool is_version_2) {
    GroupMemory group;
    group.limit = bytes_in(directory + (is_version_2 ? "/memory.max" : "/memory.limit_in_bytes"))
                      .value_or(Bytes::unlimited());
    if (group.limit == Bytes::unlimited()) return group;
    const Bytes used =
        bytes_in(directory + (is_version_2 ? "/memory.current" : "/memory.usage_in_bytes"))
            .value_or(Bytes{});
    const auto stat = read_file(directory + "/memory.stat");
    const std::uint64_t inactive =
        stat ? number_for(*stat, is_version_2 ? "inactive_file" : "total_inactive_file").value_or(0)
             : 0;
    group.used = less(used, Bytes{inactive});
    return group;
  }

  std::string root_;
  std::vector<Descriptor> alarms_;
};

}  // namespace

std::optional<MemInfo> parse_meminfo(std::string_view text) {
  const auto total = number_for(text, "MemTotal");
  const auto available = number_for(text, "MemAvailable");
  if (!total || !available) return std::nullopt;
  return MemInfo{Bytes{*total * 1024}, Bytes{*available * 1024}};
}

std::unique_ptr<Machine> make_machine(std::string root) {
  return std::make_unique<LinuxMachine>(std::move(root));
}

void notify_service_manager(std::string_view state) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view path{name};
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  path.copy(address.sun_path, sizeof address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = 0;
  const Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size()));
}

}  // namespace hearth

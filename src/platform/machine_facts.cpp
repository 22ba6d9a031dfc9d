#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <ctime>

#include "platform/facilities.h"
#include "runtime/files.h"
#include "runtime/lines.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

Limit limit_of(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<decltype(RLIMIT_NOFILE)>(resource), &limit) != 0) return {};
  const auto number = [](rlim_t value) {
    return value == RLIM_INFINITY ? Limit::none : std::uint64_t{value};
  };
  return {number(limit.rlim_cur), number(limit.rlim_max)};
}

bool has_boot_clock() {
  timespec now{};
  if (::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return false;
  return Descriptor{::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC)}.is_open();
}

std::string text_in(const std::string& path) { return read_file(path).value_or(""); }

constexpr unsigned cap_sys_resource = 24;

}  // namespace

MachineFacts read_machine_facts(const std::string& root) {
  MachineFacts facts;
  facts.is_root = ::geteuid() == 0;
  facts.has_systemd = ::access((root + "/run/systemd/system").c_str(), F_OK) == 0;
  facts.has_boot_clock = has_boot_clock();
  facts.memory = parse_meminfo(text_in(root + "/proc/meminfo"));
  facts.groups = read_groups(root);
  for (const GroupHierarchy& group : facts.groups) {
    const std::string directory = root + group.directory;
    if (group.is_version_2) facts.has_group_stall |= read_group_stall(directory).has_value();
  }
  facts.stall = read_stall(root);
  facts.swap = read_swap_space(root).value_or(SwapSpace{});
  if (const auto swapped = read_swap_activity(root)) facts.swapped = *swapped;
  facts.zram = read_zram(root);
  DeviceMeter meter{{.root = root}};
  facts.devices = meter.devices();
  facts.sources = meter.sources();
  facts.open_files = limit_of(RLIMIT_NOFILE);
  facts.locked_bytes = limit_of(RLIMIT_MEMLOCK);
  int score = 0;
  const std::string text = text_in(root + "/proc/self/oom_score_adj");
  if (std::from_chars(text.data(), text.data() + text.size(), score).ec == std::errc{}) {
    facts.oom_score = score;
  }
  facts.can_lower_oom_score = has_capability(text_in(root + "/proc/self/status"), cap_sys_resource);
  facts.power = read_power(root);
  return facts;
}

}  // namespace hearth

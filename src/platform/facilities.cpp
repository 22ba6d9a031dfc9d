#include "platform/facilities.h"

#include <algorithm>

#include "platform/facility_words.h"

namespace hearth {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string percent(double share) {
  const auto tenths = static_cast<long>(share * 1000 + 0.5);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string count_text(std::uint64_t count) {
  return count == Limit::none ? "unlimited" : std::to_string(count);
}

Facility judge_clock(const MachineFacts& facts) {
  Facility clock{.name = "clock", .need = FacilityNeed::needed};
  if (facts.has_boot_clock) {
    clock.found = "counts on through a suspend (CLOCK_BOOTTIME), with timers";
    return clock;
  }
  clock.state = FacilityState::broken;
  clock.missing = "CLOCK_BOOTTIME, or timers by it";
  clock.instead = "leases and idle limits do not work";
  clock.mend = {"a kernel of Linux 3.15 or later; in a sandbox: allow timerfd_create"};
  return clock;
}

Facility judge_memory(const MachineFacts& facts) {
  Facility memory{.name = "memory", .need = FacilityNeed::needed};
  if (facts.memory) {
    memory.found = size_text(facts.memory->available) + " of " + size_text(facts.memory->total) +
                   " available (MemAvailable)";
    return memory;
  }
  memory.state = FacilityState::broken;
  memory.missing = "MemTotal and MemAvailable of /proc/meminfo";
  memory.instead = "a budget that is a share has no limit, and pressure is never told";
  memory.mend = {"sudo mount -t proc proc /proc"};
  return memory;
}

std::string hierarchies_text(const std::vector<GroupHierarchy>& groups) {
  std::vector<std::string> first;
  std::vector<std::string> second;
  bool has_second = false;
  for (const GroupHierarchy& group : groups) {
    has_second |= group.is_version_2;
    for (const std::string& name : group.controllers) {
      const bool is_ours = name == "memory" || name == "pids" || name == "cpu";
      if (is_ours) (group.is_version_2 ? second : first).push_back(name);
    }
  }
  std::string text;
  if (!first.empty()) text += "version 1 with " + joined(first);
  if (has_second) {
    text += text.empty() ? "" : "; ";
    text += "version 2 " + (second.empty() ? "without controllers" : "with " + joined(second));
  }
  return text.empty() ? "none" : text;
}

// A key of the service that the daemon runs as. What only the system may give, a user's own manager
// has to be given first.
std::string service_mend(const MachineFacts& facts, const std::string& key) {
  return (facts.is_root ? "systemctl edit hearth   # [Service] "
                        : "sudo systemctl edit user@$(id -u)   # [Service] ") +
         key;
}

// What makes limits possible: a group of our own from systemd, or one made by hand.
std::vector<std::string> group_mend(const MachineFacts& facts, const std::string& controllers) {
  const bool has_first = std::ranges::any_of(facts.groups, [](const GroupHierarchy& group) {
    return !group.is_version_2 &&
           std::ranges::find(group.controllers, "memory") != group.controllers.end();
  });
  if (facts.has_systemd) {
    const std::string edit =
        facts.is_root ? "systemctl edit hearth" : "systemctl --user edit hearth";
    return {edit + "   # [Service] Delegate=memory pids cpu",
            "by hand: systemd-run " + std::string{facts.is_root ? "" : "--user "} +
                "--scope -p Delegate=yes hearth serve"};
  }
  if (facts.groups.empty()) return {"sudo mount -t cgroup2 none /sys/fs/cgroup"};
  if (has_first && !facts.is_root) {
    return {
        "for c in " + controllers +
        "; do sudo mkdir -p /sys/fs/cgroup/$c/hearth; "
        "sudo chown -R \"$(id -u)\" /sys/fs/cgroup/$c/hearth; "
        "echo $$ | sudo tee /sys/fs/cgroup/$c/hearth/cgroup.procs; done   # then `hearth serve`"};
  }
  return {facts.is_root ? "in a container: give it a writable /sys/fs/cgroup of its own"
                        : "run the daemon as a service of systemd with Delegate=, or as root"};
}

Facility judge_groups(const MachineFacts& facts, const Wishes& wishes) {
  Facility groups{.name = "control groups"};
  std::vector<std::string> in_force;
  std::vector<std::string> refused;
  const auto sort = [&](bool is_in_force, const char* name) {
    (is_in_force ? in_force : refused).emplace_back(name);
  };
  sort(facts.trial.has_memory_limit, "memory");
  sort(facts.trial.has_pids_limit, "pids");
  sort(facts.trial.has_cpu_limit, "cpus");
  groups.found = hierarchies_text(facts.groups);
  if (!in_force.empty()) groups.found += "; limits of " + joined(in_force) + " work from here";
  if (refused.empty()) return groups;
  groups.state = in_force.empty() ? FacilityState::missing : FacilityState::partly;
  groups.missing = "limits of " + joined(refused) + " cannot be set from here";
  groups.instead = "a component runs without those of its `limits`, and its log says so";
  if (wishes.limited_components > 0) {
    groups.instead +=
        " (components with `limits`: " + std::to_string(wishes.limited_components) + ")";
  }
  groups.mend = group_mend(facts, "memory pids cpu");
  return groups;
}

Facility judge_stalls(const MachineFacts& facts) {
  Facility stalls{.name = "pressure stalls"};
  if (facts.stall) {
    stalls.found = "memory: some " + percent(facts.stall->some.share_10s) + ", full " +
                   percent(facts.stall->full.share_10s) + " of the last 10 s (PSI)";
    stalls.found += facts.has_group_stall ? "; of our group too" : "";
    return stalls;
  }
  stalls.state = FacilityState::missing;
  stalls.missing = facts.stall.error().code == Errc::unavailable
                       ? "PSI is switched off in this kernel"
                       : "this kernel does not tell them (/proc/pressure/memory)";
  stalls.instead = "pressure is judged by available memory, the limit of our group and swapping";
  stalls.mend = {
      "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&psi=1 /' /etc/default/grub && sudo update-grub   "
      "# and restart"};
  return stalls;
}

Facility judge_swap(const MachineFacts& facts) {
  Facility swap{.name = "swap", .need = FacilityNeed::optional};
  if (facts.swap.total > Bytes{}) {
    swap.found = size_text(facts.swap.free) + " of " + size_text(facts.swap.total) + " free";
    if (facts.swapped) {
      swap.found += "; " + std::to_string(facts.swapped->pages_in) + " pages in and " +
                    std::to_string(facts.swapped->pages_out) + " out since the start";
    }
    return swap;
  }
  swap.state = FacilityState::missing;
  swap.missing = "there is none";
  swap.instead = "components do not hibernate: what is idle is unloaded";
  swap.mend = {
      "sudo fallocate -l 4G /swapfile && sudo chmod 600 /swapfile && sudo mkswap /swapfile && "
      "sudo swapon /swapfile"};
  return swap;
}

Facility judge_zram(const MachineFacts& facts) {
  Facility zram{.name = "zram", .need = FacilityNeed::optional};
  if (facts.zram.devices > 0) {
    zram.found = size_text(facts.zram.original) + " held in " + size_text(facts.zram.used) +
                 " of memory, at most " + size_text(facts.zram.disk);
    return zram;
  }
  zram.state = FacilityState::missing;
  zram.missing = "no device is set up";
  zram.instead = "what hibernates goes to another swap, if there is one";
  zram.mend = {"sudo apt install zram-tools"};
  return zram;
}

Facility judge_freezing(const MachineFacts& facts) {
  Facility freezing{.name = "freezing", .need = FacilityNeed::optional};
  if (facts.trial.can_freeze) {
    freezing.found = "cgroup.freeze of version 2, of groups that are made from here";
  } else {
    freezing.found = "SIGSTOP";
  }
  return freezing;
}

Facility judge_page_out(const MachineFacts& facts) {
  Facility paging{.name = "page-out", .need = FacilityNeed::optional};
  std::vector<std::string> ways;
  if (facts.trial.can_reclaim) ways.emplace_back("memory.reclaim");
  if (facts.trial.can_page_out) ways.emplace_back("process_madvise of a child");
  paging.found = ways.empty() ? "" : joined(ways);
  if (!ways.empty()) return paging;
  paging.state = FacilityState::missing;
  paging.missing = "neither memory.reclaim nor process_madvise(MADV_PAGEOUT) is allowed";
  paging.instead = "components do not hibernate: what is idle is unloaded";
  paging.mend = {
      "as a service of the system: sudo systemctl edit hearth   # [Service] "
      "AmbientCapabilities=CAP_SYS_NICE"};
  return paging;
}

std::string device_text(const Device& device) {
  std::string text = device.id + " " + device.name;
  if (device.is_lost) return text + ": lost";
  if (!device.total) return text + ": its memory is not told";
  text += ": " + size_text(*device.total);
  if (device.used) text += ", " + size_text(*device.used) + " used";
  return text;
}

std::vector<std::string> source_mend(const DeviceSource& source) {
  switch (source.state) {
    case DeviceSource::State::absent:
    case DeviceSource::State::torn:
      return {"sudo apt install libnvidia-ml1   # from non-free, for a machine with such a device"};
    case DeviceSource::State::refused:
    case DeviceSource::State::failed:
      return {"nvidia-smi   # says more; sudo modprobe nvidia, or restart after an update"};
    case DeviceSource::State::working:
      return {};
  }
  return {};
}

Facility judge_source(const MachineFacts& facts, const DeviceSource& source) {
  const bool is_nvml = source.name == "NVML";
  Facility devices{.name = is_nvml ? "nvidia devices" : "other devices",
                   .need = FacilityNeed::unused};
  std::vector<std::string> texts;
  bool is_any_lost = false;
  for (const Device& device : facts.devices) {
    if (device.id.starts_with("nvidia") != is_nvml) continue;
    texts.push_back(device_text(device));
    is_any_lost |= device.is_lost;
  }
  devices.found = joined(texts);
  if (source.state == DeviceSource::State::working && !is_any_lost) {
    if (texts.empty()) devices.found = "none";
    return devices;
  }
  devices.state = is_any_lost ? FacilityState::partly : FacilityState::missing;
  devices.missing = is_any_lost ? "a device does not answer" : source.detail;
  devices.instead = "a device's memory counts as `memory.devices` and components declare it";
  if (is_nvml) devices.mend = source_mend(source);
  return devices;
}

Facility judge_open_files(const MachineFacts& facts, const Wishes& wishes) {
  Facility files{.name = "open files"};
  const std::uint64_t reached = std::min(wishes.open_files, facts.open_files.hard);
  files.found =
      count_text(facts.open_files.soft) + ", at most " + count_text(facts.open_files.hard);
  if (facts.open_files.soft < reached) {
    files.found += "; the daemon raises its own to " + count_text(reached);
  }
  if (facts.open_files.hard >= wishes.open_files) return files;
  const std::string wanted = std::to_string(wishes.open_files);
  files.state = FacilityState::partly;
  files.missing = wanted + " are wanted for `listen.connections`";
  files.instead = "fewer clients than `listen.connections` can be served at once";
  if (facts.has_systemd) files.mend.push_back(service_mend(facts, "LimitNOFILE=" + wanted));
  files.mend.push_back("by hand: echo \"$USER hard nofile " + wanted +
                       "\" | sudo tee /etc/security/limits.d/hearth.conf   # and log in again");
  files.mend.emplace_back("or a smaller `listen.connections`");
  return files;
}

Facility judge_locked_memory(const MachineFacts& facts, const Wishes& wishes) {
  Facility locked{.name = "locked memory"};
  const std::uint64_t limit = facts.locked_bytes.soft;
  locked.found = limit == Limit::none ? "unlimited" : size_text(Bytes{limit});
  if (facts.is_root) locked.found += ", which root is not held to";
  if (facts.is_root || limit >= wishes.locked.count) return locked;
  locked.state = FacilityState::partly;
  locked.missing = size_text(wishes.locked) + " are wanted by components with `lock`";
  locked.instead = "such a component fails to load";
  const std::string kib = std::to_string((wishes.locked.count + 1023) / 1024);
  if (facts.has_systemd) {
    locked.mend.push_back(service_mend(facts, "LimitMEMLOCK=" + kib + "K"));
  }
  locked.mend.push_back("by hand: ulimit -l " + kib + "   # where the hard limit allows it");
  locked.mend.emplace_back("or no `lock`");
  return locked;
}

Facility judge_oom_score(const MachineFacts& facts) {
  Facility score{.name = "out-of-memory score", .need = FacilityNeed::unused};
  if (!facts.oom_score) {
    score.state = FacilityState::missing;
    score.missing = "/proc/self/oom_score_adj cannot be read";
  } else {
    score.found = std::to_string(*facts.oom_score) +
                  (facts.can_lower_oom_score ? ", can be raised and lowered" : ", can be raised");
    if (facts.can_lower_oom_score) return score;
    score.state = FacilityState::partly;
    score.missing = "lowering it needs CAP_SYS_RESOURCE";
  }
  score.instead = "daemon and components keep the score they were started with";
  score.mend = {
      "as a service of the system: sudo systemctl edit hearth   # [Service] "
      "OOMScoreAdjust=-500"};
  return score;
}

Facility judge_battery(const MachineFacts& facts) {
  Facility battery{.name = "battery", .need = FacilityNeed::optional};
  const Power& power = facts.power;
  battery.found = power.is_on_battery ? "on battery" : "on mains";
  if (power.batteries == 0) {
    battery.found += ", no battery";
  } else if (power.charge_share) {
    battery.found += ", charged to " + percent(*power.charge_share);
  }
  return battery;
}

}  // namespace

std::string_view name_of(FacilityNeed need) {
  switch (need) {
    case FacilityNeed::needed:
      return "needed";
    case FacilityNeed::optional:
      return "optional";
    case FacilityNeed::unused:
      return "unused";
  }
  return "";
}

std::string_view name_of(FacilityState state) {
  switch (state) {
    case FacilityState::good:
      return "ok";
    case FacilityState::partly:
      return "partly";
    case FacilityState::missing:
      return "missing";
    case FacilityState::broken:
      return "broken";
  }
  return "";
}

bool is_healthy(const std::vector<Facility>& facilities) {
  return std::ranges::none_of(
      facilities, [](const Facility& facility) { return facility.state == FacilityState::broken; });
}

std::vector<Facility> judge_machine(const MachineFacts& facts, const Wishes& wishes) {
  std::vector<Facility> all{judge_clock(facts),
                            judge_memory(facts),
                            judge_groups(facts, wishes),
                            judge_open_files(facts, wishes),
                            judge_locked_memory(facts, wishes),
                            judge_stalls(facts),
                            judge_swap(facts),
                            judge_zram(facts),
                            judge_freezing(facts),
                            judge_page_out(facts)};
  for (const DeviceSource& source : facts.sources) all.push_back(judge_source(facts, source));
  all.push_back(judge_oom_score(facts));
  all.push_back(judge_battery(facts));
  return all;
}

}  // namespace hearth

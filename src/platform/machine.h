// The memory of this machine, as Linux tells it.
//
// Contract   as ports/machine.h: MemTotal and MemAvailable of /proc/meminfo, both within the
//            limit of our own control group (version 2 and 1) and of those above it. Stall by
//            /proc/pressure/memory, swap traffic by /proc/vmstat.
// Threads    thread-safe.  Cost  memory_signs(): some 100 us.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.h"
#include "ports/machine.h"

namespace hearth {

struct MemInfo {
  Bytes total;
  Bytes available;
};
// The text of /proc/meminfo.
[[nodiscard]] std::optional<MemInfo> parse_meminfo(std::string_view text);

// A control group's limit and what of it is used; cached files that can be dropped are not counted.
struct GroupMemory {
  Bytes limit = Bytes::unlimited();
  Bytes used;
};

// `root` stands for "/" in tests.
[[nodiscard]] std::unique_ptr<Machine> make_machine(std::string root = "");

// Tells the service manager, where there is one (NOTIFY_SOCKET): "READY=1", "STOPPING=1".
void notify_service_manager(std::string_view state);

}  // namespace hearth

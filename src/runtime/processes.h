// Trees of processes: who descends from whom, what they hold, and their end.
//
// Contract   descendants() lists every process below `root`, grandchildren included, root not; a
//            tree that changes meanwhile may be listed in part. tree_memory() sums over root and
//            below: anonymous (with shared memory and swap), file-backed exclusive and shared,
//            PSS; memory_of() does over those that it is given. marked_processes() lists processes
//            whose environment at their start held "NAME=value".
// Threads    thread-safe.  Cost  some 10 us a process, 3 ms more a resident GiB for the memory.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/driver.h"

namespace hearth {

[[nodiscard]] std::vector<pid_t> descendants(pid_t root);
[[nodiscard]] std::optional<MemoryFigures> parse_smaps_rollup(std::string_view text);
[[nodiscard]] MemoryFigures memory_of(const std::vector<pid_t>& processes);
[[nodiscard]] MemoryFigures tree_memory(pid_t root);
[[nodiscard]] std::vector<pid_t> marked_processes(std::string_view assignment);
// Whether the text of a /proc/PID/status has this capability in force.
[[nodiscard]] bool has_capability(std::string_view status, unsigned number);
// SIGKILL to each of them; a process that is gone does no harm.
void kill_all(const std::vector<pid_t>& processes);
// "exit status 3", "killed by SIGKILL (out of memory, or by hand)" of a wait status.
inline constexpr std::string_view killed_guess = " (out of memory, or by hand)";
[[nodiscard]] std::string exit_text(int status);

}  // namespace hearth

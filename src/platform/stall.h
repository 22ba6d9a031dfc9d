// How much the machine suffers for memory: stalls (PSI), swapping, and memory compressed by zram.
//
// Contract   Stall is of /proc/pressure/memory, or of a control group's memory.pressure: `some` is
//            time in which at least one task waited for memory, `full` in which all did. `total`
//            only grows: the difference of two readings by the time between them is the share,
//            sooner than the kernel's averages tell it. SwapActivity counts pages since the start
//            of the machine. Zram adds up all devices: `used` is what they take of memory for
//            `original` bytes.
// Units      shares are 0 to 1; pages are of sysconf(_SC_PAGESIZE).
// Errors     not_found: this kernel has none of it, or not there; unavailable: it is switched off
//            (psi=0); corrupt: it is not in the form that Linux writes. A parser refuses by
//            nullopt, and never a number that is not in the text.
// Threads    the parsers are pure, the readers thread-safe.
// Cost       one open, read and close a file: a few microseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

struct StallTime {
  double share_10s = 0;  // of the last ten seconds
  Duration total{0};
};
struct Stall {
  StallTime some;
  StallTime full;
};
// avg60 and avg300 are not kept; a line of a name that is not known is passed over.
[[nodiscard]] std::optional<Stall> parse_stall(std::string_view text);

struct SwapActivity {
  std::uint64_t pages_in = 0;
  std::uint64_t pages_out = 0;
};
// The text of /proc/vmstat.
[[nodiscard]] std::optional<SwapActivity> parse_swap_activity(std::string_view text);

struct SwapSpace {
  Bytes total;  // 0: no swap
  Bytes free;
};
// The text of /proc/meminfo.
[[nodiscard]] std::optional<SwapSpace> parse_swap_space(std::string_view text);

struct Zram {
  int devices = 0;  // that hold something or could: their disk has a size
  Bytes disk;       // what they may hold, before it is compressed
  Bytes original;
  Bytes compressed;
  Bytes used;
};
// The text of one device's mm_stat: original, compressed and used.
[[nodiscard]] std::optional<Zram> parse_zram(std::string_view text);

// `root` stands for "/" in tests.
[[nodiscard]] Result<Stall> read_stall(const std::string& root = "");
// `directory` is a control group's own.
[[nodiscard]] Result<Stall> read_group_stall(const std::string& directory);
[[nodiscard]] Result<SwapActivity> read_swap_activity(const std::string& root = "");
[[nodiscard]] Result<SwapSpace> read_swap_space(const std::string& root = "");
// Without a device that is set up: all zero.
[[nodiscard]] Zram read_zram(const std::string& root = "");

}  // namespace hearth

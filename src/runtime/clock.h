// The time that the shell hands to the core.
//
// Contract   boot_now() counts from the start of the machine and goes on while it is suspended;
//            unix_ms_now() is for people and files only.
// Threads    thread-safe.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

#include "base/units.h"

namespace hearth {

[[nodiscard]] inline Instant boot_now() {
  timespec now{};
  (void)clock_gettime(CLOCK_BOOTTIME, &now);
  return Instant{now.tv_sec * 1'000'000'000 + now.tv_nsec};
}

[[nodiscard]] inline std::int64_t unix_ms_now() {
  timespec now{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// Differs after each start of the machine.
[[nodiscard]] std::string boot_id();

}  // namespace hearth

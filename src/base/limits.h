// Every bound of the system in one place. A queue or a table that is full has an answer, not a
// crash.
#pragma once

#include <cstddef>

namespace hearth {

inline constexpr std::size_t components_max = 65536;
inline constexpr std::size_t name_length_max = 64;
inline constexpr std::size_t requests_waiting_max = 4096;   // one more is refused: exhausted
inline constexpr std::size_t leases_max = 65536;            // one more waits until another ends
inline constexpr std::size_t decisions_kept_max = 4096;     // the oldest go first
inline constexpr std::size_t commands_kept_max = 1024;      // whose use can still be reported
inline constexpr std::size_t text_bytes_max = 64 * 1024;    // one command
inline constexpr std::size_t body_bytes_max = 1024 * 1024;  // one HTTP request
inline constexpr std::size_t header_bytes_max = 16 * 1024;
inline constexpr std::size_t connections_max = 10000;
inline constexpr std::size_t event_queue_max = 16384;

}  // namespace hearth

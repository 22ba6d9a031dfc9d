// How the requests that went through the gateway have ended, for /metrics.
//
// Contract   each request that a component was looked for is counted once, when it is over.
// Threads    the server's thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hearth {

enum class GatewayOutcome : unsigned char {
  answered,      // the component's answer was passed on whole, whatever its status
  preloaded,     // only warming was asked for
  malformed,     // 400, 408, 413: no component could be read out of it
  unknown,       // 404: no such component
  not_admitted,  // 409, 429, 503: conflict, full, no memory
  timed_out,     // 504: patience over, or no answer in time
  failed,        // 502: not loaded, closed, or not HTTP
  broken_off,    // the same after the answer had begun
  abandoned,     // the client has gone
};
constexpr unsigned limit_of(GatewayOutcome) { return 9; }

inline constexpr std::array<std::string_view, limit_of(GatewayOutcome{})> gateway_outcome_names{
    "answered",  "preloaded", "malformed",  "unknown",  "not_admitted",
    "timed_out", "failed",    "broken_off", "abandoned"};

struct GatewayCounts {
  std::array<std::uint64_t, limit_of(GatewayOutcome{})> ended{};  // by outcome
  std::uint64_t in_flight = 0;

  void end(GatewayOutcome outcome) {
    ++ended.at(static_cast<std::size_t>(outcome));
    --in_flight;
  }
};

[[nodiscard]] constexpr GatewayOutcome gateway_outcome_of(int status) {
  switch (status) {
    case 404:
      return GatewayOutcome::unknown;
    case 409:
    case 429:
    case 503:
      return GatewayOutcome::not_admitted;
    case 504:
      return GatewayOutcome::timed_out;
    case 400:
    case 408:
    case 413:
      return GatewayOutcome::malformed;
    default:
      return GatewayOutcome::failed;
  }
}

}  // namespace hearth

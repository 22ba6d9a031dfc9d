// Waiting for a component: connections and one HTTP exchange that end at once when it dies.
//
// Contract   every wait also watches the interrupts: a descriptor of them that becomes readable
//            ends the wait with Errc::unavailable. exchange() reads the whole answer and returns
//            its status.
// Domain     loopback TCP and Unix sockets; no TLS, no redirects, no keep-alive.
// Errors     unavailable: nobody listens, or interrupted; timed_out, which says whether it was
//            connected; corrupt: not HTTP.
// Threads    thread-safe.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

struct ProbeWait {
  Instant deadline;
  std::span<const int> interrupts;
};

// True when an interrupt is readable; false when the span is over.
[[nodiscard]] bool wait_interrupted(const ProbeWait& wait, Duration span);

[[nodiscard]] Result<> probe_tcp(int port, const ProbeWait& wait);
[[nodiscard]] Result<> probe_unix(const std::string& path, const ProbeWait& wait);

struct ProbeRequest {
  int port = 0;
  std::string method = "GET";
  std::string path = "/";
  std::string body;
};
[[nodiscard]] Result<int> exchange(const ProbeRequest& request, const ProbeWait& wait);

// A port of loopback that nobody has now: by chance one of the 4096 below those that the system
// gives to connections, so that none of them has it until it is taken; else whatever is free.
[[nodiscard]] Result<int> free_port();
[[nodiscard]] bool is_port_free(int port);

}  // namespace hearth

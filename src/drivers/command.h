// A command that is run to its end: a hook, a service manager, a container engine.
//
// Contract   blocks until it has ended, the deadline is over, or a stop is asked for; in the last
// two
//            cases all of its process group is killed. Output of both kinds is returned, the last
//            of it when it is much.
// Errors     not_found: no such program; failed: it ended with another status than 0, with its
//            last line; timed_out; unavailable: stopped.
// Threads    thread-safe.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

[[nodiscard]] Result<std::string> run_command(const std::vector<std::string>& argv,
                                              Instant deadline, std::stop_token stop = {});

}  // namespace hearth

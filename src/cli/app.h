// The command line: arguments in, an exit code out.
//
// Contract   0 done, 1 refused or failed, 2 usage, 3 configuration, 4 no daemon, 5 timed out.
//            What was asked for goes to Streams::out; errors, each with its mend, to
//            Streams::err.
// Threads    one call at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"

namespace hearth {

// `arguments` without the program's name.
[[nodiscard]] int run_command_line(const std::vector<std::string>& arguments, Streams streams);

[[nodiscard]] std::string_view hearth_version();

}  // namespace hearth

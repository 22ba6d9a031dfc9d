// Starting a program as what it is: in a process group of its own, with no signal blocked or
// ignored that we block or ignore, reading from /dev/null.
//
// Contract   both outputs go to `output`; the program is looked for on PATH; an empty directory is
//            ours. Descriptors that are close-on-exec stay here.
// Errors     the errno of what could not be done; then nothing was started.
// Threads    thread-safe.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace hearth {

// 0, or an errno.
[[nodiscard]] int spawn_program(std::vector<std::string> arguments, int output,
                                const std::string& directory, pid_t& process);

}  // namespace hearth

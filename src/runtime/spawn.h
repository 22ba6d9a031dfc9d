// Starting a program as what it is: in a process group of its own, with no signal blocked or
// ignored that we block or ignore, reading from /dev/null.
//
// Contract   both outputs go to `output`; the program is looked for on PATH; an empty directory is
//            ours. It is in the control groups, and has its score, before it is the program: what
//            it starts at once is as well. Descriptors that are close-on-exec stay here.
// Errors     the errno of what could not be done; then nothing was started.
// Threads    thread-safe. The calling thread stands still until the program is running.
// Cost       to be born in a group costs nothing. To move into one, as all of version 1 want it and
//            as it is done where being born there is refused, waits for a grace period of the
//            kernel: 10 to 15 ms, unless somebody has just done the same.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/files.h"

namespace hearth {

struct SpawnOrder {
  std::vector<std::string> arguments;
  int output = -1;
  std::string directory{};
  Descriptor birthplace{};             // the directory of a control group of version 2
  std::vector<Descriptor> groups{};    // of version 1: cgroup.procs of each, open for writing
  std::optional<int> oom_score_adj{};  // none: ours
};

struct Spawned {
  int error = 0;  // or an errno
  pid_t process = 0;
  bool is_in_groups = true;  // each of them took it
  bool is_scored = true;     // and its score was taken
};

[[nodiscard]] Spawned spawn_program(SpawnOrder order);

}  // namespace hearth

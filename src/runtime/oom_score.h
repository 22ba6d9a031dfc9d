// Whom the kernel ends first when the whole machine is out of memory: `oom_score_adj`.
//
// Contract   oom_score_for() orders components by priority, core last to go, and all of them before
//            the daemon and its supervisors, which have `own`. A score of 1 stands for a thousandth
//            of memory and swap: the kernel ends what has most of both together.
// Threads    oom_score_for is pure; the others are thread-safe.
#pragma once

#include <sys/types.h>

#include "core/model/spec.h"

namespace hearth {

// core 100, high 300, medium 500, low 700, above what the daemon has.
//
// Positive, because raising is all that an ordinary user may do. 100 at least, so that even core
// goes before the daemon, which can start it again. Steps of 200: what is of lower priority goes
// first, unless what is of higher has a fifth of the machine's memory more. A daemon that is itself
// protected (below 0) counts as 0: that protection was not given to what it starts.
[[nodiscard]] int oom_score_for(Priority priority, int own);
[[nodiscard]] int own_oom_score();
// Of a process and all below it, which may fork meanwhile. Processes that are not ours stay.
void set_oom_score(pid_t root, int score);

}  // namespace hearth

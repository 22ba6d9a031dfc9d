// `hearth sim` and the program hearth-sim: the simulator's command line.
//
//   --seed N | A..B    the seed (default 1), or several, one after the other
//   --virtual 24h      how much virtual time: a number and s, m or h (default 24h; swarm 30m)
//   --components 64    how many components (swarm: drawn for each seed unless given)
//   --trace            prints every event and action
//   --swarm            many short runs; with --minutes M of real time (default 1), or over A..B
//   --first            the swarm ends at the first failure
//   --no-faults        a world where nothing goes wrong
//   --json             one JSON object a run
//
// Contract   prints the report to `out`; the last line of a single run is `digest: <16 hex>`.
//            Returns the exit code: 0 all well, 1 a violation or less than a day has to show, 2
//            usage.
// Threads    thread-compatible.
#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace hearth::sim {

int sim_main(std::span<const std::string> args, std::ostream& out);

}  // namespace hearth::sim

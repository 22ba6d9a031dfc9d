// The simulator: a second shell around the engine, whose world is a program.
//
// Contract   run() lives one virtual stretch of time drawn from a seed: generated components,
//            clients, faults; heals the world at 85 % of it, then asks for what must be granted and
//            shuts down. Invariants are checked after every step; the first violation ends the run.
//            run_swarm() runs many short ones over seeds and keeps going after a failure.
// Exactness  equal options give an equal digest, on every machine and in every build.
// Cost       a virtual day at 64 components takes a few seconds.
// Threads    each run is by itself.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "sim/checker.h"
#include "sim/faults.h"

namespace hearth::sim {

// Changes what the engine answered before anyone sees it: how the tests prove that the checks
// check.
using Tamper = std::function<void(const Event&, std::vector<Action>&, const Engine&)>;

struct SimOptions {
  std::uint64_t seed = 1;
  Duration virtual_time = 24h;
  unsigned components = 64;
  bool has_faults = true;
  std::ostream* trace = nullptr;   // every event and action, when set
  std::uint64_t reload_every = 0;  // steps between two restores from a snapshot, 0: none
  Tamper tamper{};
};

struct SimReport {
  SimOptions options;
  std::optional<Violation> violation;
  std::vector<std::string> shortfalls;  // minimums of a whole day that were missed
  std::uint64_t digest = 0;
  std::uint64_t steps = 0;
  std::uint64_t replayed = 0;  // steps again, after restarts
  std::uint64_t commands = 0;
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;
  std::uint64_t accepted = 0;
  std::uint64_t loads = 0;
  std::uint64_t unloads = 0;
  std::uint64_t evictions = 0;
  std::uint64_t restarts = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t probes = 0;  // requests that had to be granted, and were
  std::uint64_t fast_leases = 0;
  std::string policy;
  std::array<std::uint64_t, fault_count> faults{};
  std::vector<std::pair<std::string, std::uint64_t>> events;  // by kind

  [[nodiscard]] bool is_ok() const { return !violation && shortfalls.empty(); }
};

inline constexpr std::uint64_t steps_least_a_day = 200'000;
inline constexpr std::uint64_t commands_least_a_day = 5'000;

[[nodiscard]] SimReport run(const SimOptions& options);
// The command that runs this again.
[[nodiscard]] std::string replay_command(const SimOptions& options);
void print_text(const SimReport& report, std::ostream& out);
void print_json(const SimReport& report, std::ostream& out);

struct SwarmOptions {
  std::uint64_t seed_first = 1;
  std::uint64_t seed_count = 0;  // 0: until the time is over
  double minutes = 1;            // of real time, when seed_count is 0
  Duration virtual_time = 30min;
  unsigned components = 0;  // 0: drawn for each seed
  bool stops_at_first = false;
};
struct SwarmReport {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  std::vector<SimReport> failures;
};
[[nodiscard]] SwarmReport run_swarm(const SwarmOptions& options, std::ostream& out);
// What the swarm runs for a seed.
[[nodiscard]] SimOptions swarm_options(std::uint64_t seed, const SwarmOptions& options);

}  // namespace hearth::sim

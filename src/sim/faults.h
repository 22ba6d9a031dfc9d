// What can go wrong in the simulated world: one table of kinds, and the plan that says when.
//
// Contract   a plan draws a subset of kinds for each stretch of half an hour (for a short run, for
//            all of it). strikes() is asked at each occasion of a kind (a load starts, a gate
//            closes, ...); next_at() tells when a kind strikes by the clock. A kind that is behind
//            its minimum for a whole day is on in every stretch. After the healing nothing strikes.
//            count() is what the world reports by done(): a fault that found no victim is not
//            counted.
// Exactness  a function of the seed.
// Threads    thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/prng.h"
#include "base/units.h"

namespace hearth::sim {

enum class Fault : unsigned char {
  load_slow,
  load_hung,
  load_failed,
  finished_after_cancel,
  estimate_low,
  crash_ready,
  crash_leased,
  gate_refused,
  unload_slow,
  suspend,
  clock_jump,
  restart_tail_lost,
  duplicate_completion,
  reordered_completion,
  budget_shrunk,
  configuration_changed,
  client_abandoned,
  hibernate_refused,  // nothing could be paged out
  swap_full,          // little could be
  crash_asleep,       // the kernel, or its group, took it away
  resume_failed,      // the probe does not find it in order
  resume_slow,
};
inline constexpr std::size_t fault_count = 22;

struct FaultKind {
  Fault fault;
  std::string_view name;
  double chance = 0;  // at each occasion; 0: by the clock
  Duration every{0};  // mean time between two, when by the clock
};
[[nodiscard]] const std::array<FaultKind, fault_count>& fault_kinds();

inline constexpr std::uint64_t faults_least_a_day = 20;  // of each kind

class FaultPlan {
 public:
  FaultPlan(std::uint64_t seed, bool is_enabled, Duration virtual_time);

  [[nodiscard]] bool strikes(Fault fault, Instant now);
  [[nodiscard]] bool is_on(Fault fault, Instant now);
  // The next time that a kind by the clock is due, after `now`.
  [[nodiscard]] Instant next_at(Fault fault, Instant now);
  void done(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }
  [[nodiscard]] std::uint64_t count(Fault fault) const {
    return counts_[static_cast<std::size_t>(fault)];
  }
  [[nodiscard]] Instant heal_at() const { return heal_at_; }

 private:
  Prng prng_;
  bool is_enabled_;
  Duration virtual_time_;
  Instant heal_at_;
  std::int64_t stretch_ = -1;
  std::array<bool, fault_count> subset_{};
  std::array<std::uint64_t, fault_count> counts_{};
};

}  // namespace hearth::sim

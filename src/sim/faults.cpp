#include "sim/faults.h"

#include "base/math.h"

namespace hearth::sim {

const std::array<FaultKind, fault_count>& fault_kinds() {
  static constexpr std::array<FaultKind, fault_count> kinds{{
      {Fault::load_slow, "load slow", 0.06, 0s},
      {Fault::load_hung, "load hung", 0.02, 0s},
      {Fault::load_failed, "load failed", 0.05, 0s},
      {Fault::finished_after_cancel, "finished after cancel", 0.6, 0s},
      {Fault::estimate_low, "estimate too low", 0.06, 0s},
      {Fault::crash_ready, "crash while ready", 0, 900s},
      {Fault::crash_leased, "crash while leased", 0, 900s},
      {Fault::gate_refused, "gate refused", 0.1, 0s},
      {Fault::unload_slow, "unload slow", 0.05, 0s},
      {Fault::suspend, "suspend", 0, 1500s},
      {Fault::clock_jump, "clock jump", 0, 900s},
      {Fault::restart_tail_lost, "restart, tail lost", 0, 1200s},
      {Fault::duplicate_completion, "duplicate completion", 0.05, 0s},
      {Fault::reordered_completion, "reordered completion", 0.05, 0s},
      {Fault::budget_shrunk, "budget shrunk", 0, 1200s},
      {Fault::configuration_changed, "configuration changed", 0, 1200s},
      {Fault::client_abandoned, "client abandoned", 0.04, 0s},
      {Fault::hibernate_refused, "hibernation refused", 0.1, 0s},
      {Fault::swap_full, "swap full", 0.2, 0s},
      {Fault::crash_asleep, "crash while asleep", 0, 150s},
      {Fault::resume_failed, "resume failed", 0.7, 0s},
      {Fault::resume_slow, "resume slow", 0.6, 0s},
  }};
  return kinds;
}

FaultPlan::FaultPlan(std::uint64_t seed, bool is_enabled, Duration virtual_time)
    : prng_(seed ^ 0xfa017U),
      is_enabled_(is_enabled),
      virtual_time_(virtual_time),
      heal_at_(Instant{} + virtual_time / 100 * 85) {}

bool FaultPlan::is_on(Fault fault, Instant now) {
  if (!is_enabled_ || now >= heal_at_) return false;
  constexpr Duration length = 1800s;
  const std::int64_t stretch = now.ns / length.count();
  if (stretch != stretch_) {
    stretch_ = stretch;
    for (bool& is_in : subset_) is_in = prng_.chance(0.6);
  }
  const auto index = static_cast<std::size_t>(fault);
  if (subset_[index]) return true;
  // A whole day shows every kind often enough: who is behind a straight line is on.
  if (virtual_time_ < 24h) return false;
  const double due = 2.0 * static_cast<double>(faults_least_a_day) * static_cast<double>(now.ns) /
                     static_cast<double>(heal_at_.ns);
  return static_cast<double>(counts_[index]) < due;
}

bool FaultPlan::strikes(Fault fault, Instant now) {
  const double draw = prng_.unit();
  return is_on(fault, now) && draw < fault_kinds()[static_cast<std::size_t>(fault)].chance;
}

Instant FaultPlan::next_at(Fault fault, Instant now) {
  const double mean = seconds(fault_kinds()[static_cast<std::size_t>(fault)].every);
  const double wait = -mean * exact_log(1.0 - prng_.unit());
  return now + Duration{static_cast<std::int64_t>(wait * 1e9) + 1};
}

}  // namespace hearth::sim

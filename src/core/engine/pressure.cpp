#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

Pressure Engine::Impl::level_of(Bytes bytes) const {
  const auto& below = configuration.settings.pressure_below;
  int level = 0;
  while (level < 4 && bytes < below[static_cast<std::size_t>(level)]) ++level;
  // A twentieth more than the limit is asked for on the way back, so that a level does not flutter.
  const int held = static_cast<int>(pressure);
  while (level < held) {
    const Bytes limit = below[static_cast<std::size_t>(held - 1)];
    if (bytes >= limit + Bytes{limit.count / 20}) break;
    level = held;
  }
  return static_cast<Pressure>(level);
}

void Engine::Impl::on(const event::MemorySampled& event) {
  available = std::min(event.available, Bytes::unlimited());
  for (const auto& [id, bytes] : event.measured) {
    if (id.value >= components.size() || bytes == Bytes{}) continue;
    Component& c = at(id);
    const bool is_up =
        c.state == State::ready || c.state == State::closing || c.state == State::draining;
    if (!is_up || ledger.held(id) == bytes) continue;
    is_dirty = true;
    ledger.replace(id, bytes);
    c.peak = std::max(c.peak, bytes);
  }
  if (ledger.shortfall({})) is_dirty = true;
  is_told_stuck = false;
  set_pressure(level_of(available));
  if (pressure >= Pressure::critical && !is_shutting_down) relieve_pressure();
}

void Engine::Impl::set_pressure(Pressure level) {
  if (level == pressure) return;
  Decision& decision = record(DecisionKind::pressure_changed, Reason::pressure);
  decision.bytes = available;
  decision.figure = static_cast<double>(level);
  decision.other_figure = static_cast<double>(pressure);
  pressure = level;
  is_dirty = true;
  rearm_idle();
}

// Limits depend on the level and the configuration: each deadline is made again, from when it
// became idle.
void Engine::Impl::rearm_idle() {
  for (const auto& [priority, key, id] : idle) {
    Component& c = at(id);
    disarm(TimerKind::idle, id.value, c.idle_deadline);
    const Duration limit = idle_limit(id);
    c.idle_deadline =
        limit == Duration::max() ? Instant::never() : std::max(now, c.idle_since + limit);
    arm(TimerKind::idle, id.value, c.idle_deadline);
  }
}

// How long it may stay idle at this pressure; Duration::max(): for ever.
Duration Engine::Impl::idle_limit(ComponentId id) const {
  const Component& c = at(id);
  const Settings& settings = configuration.settings;
  Duration limit = Duration::max();
  if (c.spec.ttl) limit = *c.spec.ttl;
  if (c.is_preload) limit = std::min(limit, settings.preload_expiry);
  if (pressure < settings.idle_from || c.spec.priority == Priority::core) return limit;
  Duration by_priority = settings.idle_limits[static_cast<std::size_t>(c.spec.priority)];
  if (pressure == Pressure::high) by_priority = std::min<Duration>(by_priority, 60s);
  if (pressure == Pressure::critical) by_priority = std::min<Duration>(by_priority, 30s);
  if (pressure == Pressure::emergency) by_priority = std::min<Duration>(by_priority, 10s);
  return std::min(limit, by_priority);
}

// A budget that is exceeded (a measurement, a smaller budget) is brought back by what is idle.
void Engine::Impl::relieve_budget() {
  if (!ledger.shortfall({})) return;
  auto victims = victims_for({}, {});
  if (victims && victims->empty()) return;
  if (!victims) {
    victims.emplace();
    const auto short_of = ledger.shortfall({}, leaving_demands());
    for (const auto& [priority, key, id] : idle) {
      if (Ledger::share(ledger.demand_of(id), *short_of) > Bytes{}) victims->push_back(id);
    }
  }
  if (victims->empty()) {
    if (std::exchange(is_told_stuck, true)) return;
    record(DecisionKind::nothing_evictable, Reason::over_budget).bytes =
        ledger.shortfall({})->bytes;
    return;
  }
  for (const ComponentId victim : *victims) {
    ++totals.evictions;
    drain(victim, Reason::over_budget);
  }
  is_dirty = false;
}

// From critical on: what is idle goes, lowest rank first, until the machine would be at high again.
void Engine::Impl::relieve_pressure() {
  rekey_idle();
  const Bytes goal = configuration.settings.pressure_below[2];
  Bytes coming = available;
  for (const Ledger::Demand& demand : leaving_demands()) coming += demand.ram;
  bool has_relief = !leaving.empty();
  while (coming < goal && !idle.empty()) {
    const ComponentId victim = std::get<2>(*idle.begin());
    coming += ledger.held(victim);
    ++totals.evictions;
    begin_close(victim, Reason::pressure, {});
    has_relief = true;
  }
  if (coming < goal && pressure == Pressure::emergency) {
    for (auto& [id, lease] : leases) {
      if (!lease.is_preemptible || lease.is_revoked) continue;
      for (const ComponentId held : std::vector(lease.components)) revoke_preemptible(held);
    }
  }
  if (coming < goal && !has_relief) {
    record(DecisionKind::nothing_evictable, Reason::pressure).bytes = goal - coming;
  }
}

}  // namespace hearth

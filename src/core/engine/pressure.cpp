#include <algorithm>

#include "core/engine/state.h"

namespace hearth {
namespace {

// An unload, and the look that sees it, take less.
constexpr Duration relief_time = 3s;
// Between two unloads against a stall.
constexpr Duration suffering_step = 1s;

Reason reason_of(PressureSign sign) {
  switch (sign) {
    case PressureSign::memory:
      return Reason::pressure;
    case PressureSign::own_limit:
      return Reason::own_limit;
    case PressureSign::stall:
      return Reason::stall;
    case PressureSign::swap:
      return Reason::swap;
  }
  return Reason::pressure;
}

}  // namespace

// What hibernates and resumes goes through the swap by our own will: neither that traffic nor what
// waits for it says that memory is short, for as long as that may take. A total that is less than
// before is one of a machine that counts anew.
template <class T>
T Engine::Impl::less_ours(T total, Counted<T>& count) const {
  const T before = std::exchange(count.seen, total);
  const bool is_ours = has_paged && now <= pages_until;
  if (total > before && !is_ours) count.others += total - before;
  return count.others;
}

bool Engine::Impl::is_anything_paging() const {
  const auto pages = [this](ComponentId id) { return is_paging(at(id).state); };
  return std::ranges::any_of(leaving, pages) || std::ranges::any_of(loading, pages);
}

void Engine::Impl::on(const event::MemorySampled& event) {
  const Duration stalled = less_ours(event.stalled, stalls);
  const Bytes swapped = less_ours(event.swapped, swaps);
  has_paged = is_anything_paging();
  gauge.take(now,
             {.available = event.available,
              .is_own_limit = event.is_own_limit,
              .stalled = stalled,
              .swapped = swapped},
             configuration.settings.pressure);
  bool is_news = false;
  for (const auto& [id, bytes] : event.measured) is_news |= take_measured(id, bytes);
  for (const event::DeviceHeld& held : event.devices) is_news |= take_device(held);
  if (is_news) {
    is_dirty = true;
    is_told_stuck = false;
  }
  withhold_from_budget();
  if (ledger.shortfall({})) {
    is_dirty = true;
  } else {
    is_told_stuck = false;
  }
  set_pressure(gauge.level());
  if (is_shutting_down) return;
  if (pressure >= Pressure::critical) {
    relieve_pressure();
  } else {
    relieve_what_is_foretold();
  }
}

// It ends a little above, so that it does not flutter.
void Engine::Impl::on(const event::PowerSampled& event) {
  constexpr double margin = 0.02;
  const double below = configuration.settings.battery_below + (saves_power ? margin : 0.0);
  const bool is_low = event.is_on_battery && event.charge < below;
  if (std::exchange(saves_power, is_low) == is_low) return;
  record(DecisionKind::power_changed, is_low ? Reason::battery : Reason::mains).figure =
      event.charge;
  rearm_idle();
  if (!is_low) return;
  std::vector<RequestId> ahead;
  for (const auto& [id, request] : requests) {
    if (request.kind == WantKind::preload) ahead.push_back(id);
  }
  for (const RequestId id : ahead) dequeue(id);
}

void Engine::Impl::set_pressure(Pressure level) {
  if (level == pressure) return;
  Decision& decision = record(DecisionKind::pressure_changed, reason_of(gauge.sign()));
  decision.bytes = gauge.available();
  decision.figure = static_cast<double>(level);
  decision.other_figure = static_cast<double>(pressure);
  pressure = level;
  is_dirty = true;
  is_told_helpless = false;
  if (pressure == Pressure::emergency) cancel_hibernations();
  rearm_idle();
}

// The budget is ours by configuration, the memory may be in use by others: a load must not bring
// the machine to critical, nor, if we yield, out of low.
void Engine::Impl::withhold_from_budget() {
  const Settings& settings = configuration.settings;
  const Bytes available = gauge.available();
  Bytes withheld;
  if (available < Bytes::unlimited()) {
    const Bytes floor = settings.yields
                            ? PressureGauge::end_of(Pressure::medium, settings.pressure)
                            : PressureGauge::end_of(Pressure::critical, settings.pressure);
    // What loads under way have reserved and not taken yet is in both figures.
    const Bytes taken = less(ledger.used(ResourceId{}), coming_bytes());
    const Bytes within = less(taken + available, floor);
    withheld = less(settings.budget, within);
  }
  // On the way back in steps, so that each look does not make everybody try again.
  const Bytes step{std::min(settings.budget, available).count / 64};
  const bool is_back = withheld < ledger.withheld();
  if (is_back && queue.empty() && withheld > Bytes{} && ledger.withheld() - withheld < step) return;
  if (withheld != ledger.withheld() && !queue.empty()) is_dirty = true;
  ledger.withhold(withheld, settings.yields);
}

// Limits depend on the level and the configuration: each deadline is made again, from when it
// became idle.
void Engine::Impl::rearm_idle() {
  for (const auto& [priority, key, id] : idle) {
    Component& c = at(id);
    disarm(TimerKind::idle, id.value, c.idle_deadline);
    c.idle_deadline = idle_end(id, now);
    arm(TimerKind::idle, id.value, c.idle_deadline);
  }
}

// When its idling is over, and not before `earliest`. Longer limits end with a second, so that many
// end by one timer.
Instant Engine::Impl::idle_end(ComponentId id, Instant earliest) const {
  const Duration limit = idle_limit(id);
  if (limit == Duration::max()) return Instant::never();
  Instant end = at(id).idle_since + limit;
  constexpr std::int64_t second = 1'000'000'000;
  if (limit >= 20s) end.ns += (second - end.ns % second) % second;
  return std::max(end, earliest);
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
  // It is out of the way, and worth its rest for longer.
  if (c.state == State::hibernated) {
    // A load costs the battery more than to keep it.
    if (saves_power && pressure < Pressure::high) return limit;
    by_priority *= 10;
  }
  return std::min(limit, by_priority);
}

// A budget that is exceeded (a measurement, a smaller budget) is brought back by what is idle.
void Engine::Impl::relieve_budget() {
  if (!ledger.shortfall({})) return;
  auto victims = victims_for(Claim{}, {});
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
  make_leave(Claim{}, *victims, Reason::over_budget, {});
  is_dirty = false;
}

// Those that may go, the least missed first: what was loaded in vain, then by priority and worth;
// in an emergency also what is pinned and in nobody's use.
std::vector<ComponentId> Engine::Impl::relief_order() const {
  std::vector<ComponentId> order;
  for (const bool is_preload : {true, false}) {
    for (const auto& [priority, key, id] : idle) {
      if (at(id).is_preload == is_preload) order.push_back(id);
    }
  }
  if (pressure < Pressure::emergency) return order;
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const Component& c = components[i];
    const ComponentId id{i};
    const bool may_go =
        c.is_pinned && c.state == State::ready && is_free(id) && c.spec.priority != Priority::core;
    if (may_go) order.push_back(id);
  }
  return order;
}

// What has to go for `coming` to be `goal`, with the least regret, and no more: without any one of
// them it would not be. First what was loaded in vain, then what can hibernate, then the rest.
std::vector<Engine::Impl::Relief> Engine::Impl::relief_until(Bytes& coming, Bytes goal) const {
  std::vector<Relief> steps;
  const std::vector<ComponentId> order = relief_order();
  const auto take = [&](ComponentId id, Tier tier, Bytes frees) {
    const auto same = std::ranges::find(steps, id, &Relief::id);
    if (same != steps.end()) {
      coming = less(coming, same->frees);
      steps.erase(same);
    }
    if (frees == Bytes{}) return;  // it would free nothing of what is short
    coming += frees;
    steps.push_back({.id = id, .tier = tier, .frees = frees});
  };
  for (const ComponentId id : order) {
    if (coming < goal && at(id).is_preload) take(id, Tier::unloaded, ledger.held(id));
  }
  Duration paging_takes = paging_ahead();
  for (const ComponentId id : order) {
    if (coming >= goal || !is_worth_hibernating(id, false)) continue;
    // One after the other, and memory is short now.
    if (paging_takes + hibernating_takes(id) > relief_time) continue;
    paging_takes += hibernating_takes(id);
    take(id, Tier::hibernated, freed_by_hibernating(id));
  }
  for (const ComponentId id : order) {
    if (coming < goal && !at(id).is_preload) take(id, Tier::unloaded, ledger.held(id));
  }
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (less(coming, steps[i].frees) < goal) continue;
    coming = less(coming, steps[i].frees);
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return steps;
}

// What is on its way out frees, less those that hibernate one behind the other for too long.
Bytes Engine::Impl::leaves_soon() const {
  const bool is_soon = paging_ahead() <= relief_time;
  const bool is_cancelled = pressure == Pressure::emergency;
  Bytes sum;
  for (const ComponentId id : leaving) {
    const bool is_to_sleep = at(id).goes_to_sleep || at(id).state == State::hibernating;
    const bool hibernates = is_to_sleep && !is_cancelled;
    if (hibernates && is_soon) sum += freed_by_hibernating(id);
    if (!hibernates) sum += ledger.held(id);
  }
  return sum;
}

// Returns what will be there then.
Bytes Engine::Impl::relieve(Bytes coming, Bytes goal, Reason reason) {
  if (coming >= goal) return coming;
  rekey_idle();
  const Bytes short_of = goal - coming;
  for (const Relief& step : relief_until(coming, goal)) {
    ++totals.evictions;
    begin_close(step.id, reason, {}, step.tier);
    if (step.tier == Tier::unloaded) decisions.back().other_bytes = short_of;
  }
  return coming;
}

// From critical on: until the machine would be at high again.
void Engine::Impl::relieve_pressure() {
  const Bytes goal = PressureGauge::end_of(Pressure::critical, configuration.settings.pressure);
  Bytes coming = gauge.available();
  if (coming >= goal) return relieve_suffering();
  coming += leaves_soon();
  const Reason reason = reason_of(gauge.sign());
  coming = relieve(coming, goal, reason);
  if (coming >= goal) return;
  if (pressure == Pressure::emergency) {
    for (auto& [id, lease] : leases) {
      if (!lease.is_preemptible || lease.is_revoked) continue;
      for (const ComponentId held : std::vector(lease.components)) revoke_preemptible(held);
    }
  }
  if (leaving.empty() && !std::exchange(is_told_helpless, true)) {
    record(DecisionKind::nothing_evictable, reason).bytes = goal - coming;
  }
}

// Of a stall nobody knows how much memory ends it: one component, and then what that has done is
// waited for.
void Engine::Impl::relieve_suffering() {
  const bool is_waited_for = !leaving.empty() || now - relieved_at < suffering_step;
  if (is_waited_for || !gauge.is_suffering(configuration.settings.pressure)) return;
  rekey_idle();
  const std::vector<ComponentId> order = relief_order();
  const auto first =
      std::ranges::find_if(order, [this](ComponentId id) { return ledger.held(id) > Bytes{}; });
  if (first == order.end()) return;
  relieved_at = now;
  ++totals.evictions;
  begin_close(*first, reason_of(gauge.sign()), {});
}

// Before it is critical: what would be unloaded then goes now, in time.
void Engine::Impl::relieve_what_is_foretold() {
  const Bytes limit = configuration.settings.pressure.below[2];
  // Farther away it cannot be reached so soon, and no trend is worth its sum.
  constexpr Bytes reach{PressureGauge::take_rate_max *
                        static_cast<std::uint64_t>(relief_time / 1s)};
  if (gauge.available() >= limit + reach + ledger.used(ResourceId{})) return;
  Bytes coming = available_in(relief_time);
  coming += leaves_soon();
  if (coming < limit) (void)relieve(coming, limit, Reason::foretold);
}

}  // namespace hearth

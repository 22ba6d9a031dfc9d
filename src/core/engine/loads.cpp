#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

void Engine::Impl::set_state(ComponentId id, Trigger trigger) {
  Component& c = at(id);
  const auto after = next(c.state, trigger);
  HEARTH_ASSERT(after.has_value());
  c.state = *after;
}

// A reservation makes it engaged: what it needs cannot go, what conflicts with it cannot come.
void Engine::Impl::engage(ComponentId id, const Ledger::Demand& demand, bool is_forced) {
  if (at(id).state == State::hibernated) {
    // It is engaged already, with the rest that it holds: now with all of it.
    at(id).is_waking = true;
    drop_idle(id);
    ledger.replace(id, at(id).asleep + demand.ram);
    admitted.insert(id);
    is_plan_stale = true;
    is_dirty = true;
    return;
  }
  if (is_forced) {
    ledger.hold(id, demand);
  } else {
    HEARTH_ASSERT(ledger.try_reserve(id, demand));
  }
  if (!is_resident(at(id).state)) {
    admitted.insert(id);
    is_plan_stale = true;
  }
  for (const ComponentId need : at(id).needs) {
    ++at(need).engaged_dependents;
    refresh_idle(need);
  }
  is_dirty = true;
}

void Engine::Impl::disengage(ComponentId id) {
  ledger.release(id);
  Component& c = at(id);
  c.is_waking = false;
  c.goes_to_sleep = false;
  c.has_exited = false;
  c.asleep = Bytes{};
  if (admitted.erase(id)) is_plan_stale = true;
  for (const ComponentId need : c.needs) {
    HEARTH_ASSERT(at(need).engaged_dependents > 0);
    --at(need).engaged_dependents;
    refresh_idle(need);
  }
  note_defaults();
  settle_unload_requests();
  is_dirty = true;
}

// What is admitted and has not started gives its reservation back.
void Engine::Impl::withdraw(ComponentId id) {
  Component& c = at(id);
  if (!c.is_waking) return disengage(id);
  c.is_waking = false;
  c.is_preload = false;
  admitted.erase(id);
  is_plan_stale = true;
  ledger.replace(id, c.asleep);
  refresh_idle(id);
  is_dirty = true;
}

// What was admitted for somebody who is gone gives its reservation back.
void Engine::Impl::withdraw_unwanted() {
  std::vector<ComponentId> unwanted;
  for (const ComponentId id : admitted) {
    if (at(id).wanted == 0) unwanted.push_back(id);
  }
  for (const ComponentId id : unwanted) withdraw(id);
}

// Something measured above its reservation, or a budget shrank: what is admitted in it and has not
// started gives its reservation back, and its request waits for room again.
void Engine::Impl::withdraw_unfitting() {
  std::vector<ComponentId> unfitting;
  for (const ComponentId id : admitted) {
    const Ledger::Demand demand = ledger.demand_of(id);
    const PoolId pool = demand.pool;
    bool is_over = ledger.used(ResourceId{}) > ledger.budget(ResourceId{});
    is_over =
        is_over || (ledger.is_hard(pool) && ledger.pool_used(pool) > ledger.pool_budget(pool));
    for (const auto& [resource, bytes] : demand.others) {
      is_over = is_over || ledger.used(resource) > ledger.budget(resource);
    }
    if (is_over) unfitting.push_back(id);
  }
  for (const ComponentId id : unfitting) withdraw(id);
}

// What was admitted as a guess, or as a need of one, and is asked for by now is no guess any more.
void Engine::Impl::promote_asked() {
  for (const ComponentId id : admitted) {
    if (!at(id).is_preload) continue;
    for (const auto& [number, request] : requests) {
      const bool is_guess = request.kind == WantKind::preload || request.kind == WantKind::unload;
      if (is_guess || std::ranges::find(request.closure, id) == request.closure.end()) continue;
      const bool is_asked = std::ranges::find(request.asked, id) != request.asked.end();
      at(id).is_preload = false;
      at(id).load_reason = is_asked ? request.reason : Reason::need;
      is_plan_stale = true;
      break;
    }
  }
}

void Engine::Impl::start_loads() {
  withdraw_unwanted();
  promote_asked();
  if (!admitted.empty()) withdraw_unfitting();
  plan_starts();
  while (start_next()) {
  }
}

// The longest path of loads that wait behind `id`, its own included.
Duration Engine::Impl::path_after(ComponentId id, std::map<ComponentId, Duration>& known) const {
  const auto found = known.find(id);
  if (found != known.end()) return found->second;
  Duration longest{0};
  for (const ComponentId dependent : at(id).dependents) {
    if (admitted.contains(dependent)) longest = std::max(longest, path_after(dependent, known));
  }
  return known[id] = expected_load_time(id) + longest;
}

// One load, the one with the longest path behind it, when a slot is free. What was never measured
// is loaded alone, so that two guesses are not wrong together.
bool Engine::Impl::start_next() {
  if (admitted.empty() || loading.size() >= configuration.settings.loads_parallel_max) return false;
  if (std::ranges::any_of(loading, [this](ComponentId id) { return is_guess(id); })) return false;
  std::map<ComponentId, Duration> known;
  std::optional<ComponentId> best;
  const auto rank = [&](ComponentId id) {
    const bool can_wait = at(id).load_reason == Reason::eager || at(id).is_preload;
    const std::uint32_t position = at(id).plan_position;
    const Duration path = position > 0 ? Duration{0} : path_after(id, known);
    return std::tuple{can_wait, at(id).is_preload, position, -path, id};
  };
  for (const ComponentId id : admitted) {
    const bool is_startable = std::ranges::all_of(
        at(id).needs, [this](ComponentId need) { return at(need).state == State::ready; });
    if (is_startable && (!best || rank(id) < rank(*best))) best = id;
  }
  if (!best || (is_guess(*best) && !loading.empty())) return false;
  start_load(*best);
  return true;
}

// What was admitted is on its way, by a load or a resume.
void Engine::Impl::begin_load(ComponentId id, Trigger trigger) {
  Component& c = at(id);
  admitted.erase(id);
  c.is_waking = false;
  set_state(id, trigger);
  loading.insert(id);
  c.work = WorkId{next_work++};
  work.emplace(c.work, id);
  c.is_cancelled = false;
  c.unload_reason = Reason::none;
  c.load_started = now;
  c.load_deadline = now + c.spec.load_timeout.value_or(configuration.settings.load_timeout);
  arm(TimerKind::load, id.value, c.load_deadline);
  if (c.attempt == 0) {
    if (c.undemanded.size() >= 3) c.undemanded.erase(c.undemanded.begin());
    c.undemanded.push_back(now);
  }
}

void Engine::Impl::start_load(ComponentId id) {
  Component& c = at(id);
  if (c.state == State::hibernated) return start_resume(id);
  begin_load(id, Trigger::load);
  ++totals.loads;
  if (c.is_preload) ++totals.preloads;
  record_component(DecisionKind::load_started, c.load_reason, id);
  Decision& decision = decisions.back();
  decision.bytes = ledger.held(id);
  decision.other_bytes = ledger.budget(ResourceId{});
  decision.figure = static_cast<double>(c.attempt + 1);
  emit(action::StartLoad{.work = c.work,
                         .component = id,
                         .reserved = ledger.held(id),
                         .attempt = c.attempt + 1,
                         .is_preload = c.is_preload});
}

void Engine::Impl::on(const event::LoadFinished& event) {
  const auto found = work.find(event.work);
  if (found == work.end()) return;
  const ComponentId id = found->second;
  Component& c = at(id);
  const bool is_resume = c.state == State::resuming;
  if (!is_resume && c.state != State::loading) return;
  work.erase(found);
  loading.erase(id);
  disarm(TimerKind::load, id.value, c.load_deadline);
  c.load_deadline = Instant::never();
  const WorkId done = std::exchange(c.work, WorkId{});
  if (!is_resume) c.load = done;
  is_dirty = true;
  if (event.outcome != WorkOutcome::done || c.has_exited) {
    const bool is_unwanted = c.is_cancelled && c.unload_reason != Reason::timed_out;
    if (is_resume) {
      ++c.unloads;
      ++totals.unloads;
    }
    if (is_resume && !is_unwanted) return resume_failed(id);
    load_failed(id, !is_unwanted);
    return;
  }
  const bool has_needs = std::ranges::all_of(
      c.needs, [this](ComponentId need) { return at(need).state == State::ready; });
  if (c.is_cancelled || !has_needs || is_shutting_down || c.is_removed) {
    begin_life(id);
    hold_measured(id, event.measured);
    is_told_stuck = false;
    if (c.unload_reason == Reason::none) c.unload_reason = Reason::need_gone;
    if (c.unload_reason == Reason::timed_out) c.failures += 1;
    if (is_resume && c.unload_reason == Reason::timed_out) {
      // No failure of its loads either: see resume_failed().
      ++totals.resume_failures;
      c.no_sleep_before = Instant::never();
      c.is_cancelled = false;
    }
    record_component(DecisionKind::load_cancelled, c.unload_reason, id);
    set_state(id, Trigger::cancel_done);
    leaving.insert(id);
    start_unload(id);
    return;
  }
  if (is_resume) return resume_done(id, event.measured);
  load_done(id, event.measured);
}

Duration averaged(Duration before, Duration took) {
  return before == Duration{0} ? took : (before * 7 + took * 3) / 10;
}

// What holds of it now, whether by a load or a resume.
void Engine::Impl::came_up(ComponentId id, Bytes measured) {
  Component& c = at(id);
  hold_measured(id, measured);
  gauge.forget_trend();
  if (measured > Bytes{}) is_told_stuck = false;
  c.restarts = false;
  c.is_displaced = false;
  c.displacer.reset();
  c.turn_began = now;
  c.idle_since = now;
}

void Engine::Impl::open_gate(ComponentId id) {
  emit(action::OpenGate{id});
  for (const ComponentId need : at(id).needs) refresh_idle(need);
  refresh_idle(id);
}

void Engine::Impl::load_done(ComponentId id, Bytes measured) {
  Component& c = at(id);
  set_state(id, Trigger::load_done);
  const Duration took = now - c.load_started;
  c.load_time = averaged(c.load_time, took);
  const Bytes reserved = ledger.held(id);
  begin_life(id);
  came_up(id, measured);
  ++c.loads;
  c.attempt = 0;
  c.retry_at = Instant{};
  c.loaded_at = now;
  if (policy->on_load != nullptr) policy->on_load(policy_state, c.policy, candidate(id), now);
  record_component(DecisionKind::load_done, c.load_reason, id);
  decisions.back().bytes = measured;
  decisions.back().other_bytes = reserved;
  decisions.back().figure = milliseconds(took);
  tell_estimate(id);
  open_gate(id);
}

// `counts`: a failure of its own, which is retried a few times; else it was only not wanted.
void Engine::Impl::load_failed(ComponentId id, bool counts) {
  Component& c = at(id);
  set_state(id, Trigger::load_failed);
  disengage(id);
  c.is_cancelled = false;
  c.load = WorkId{};
  if (!counts) {
    set_state(id, Trigger::forget);
    record_component(DecisionKind::load_cancelled, c.unload_reason, id);
    if (has_next_specs) apply_next_specs();
    note_keep(id);
    return;
  }
  ++c.failures;
  ++totals.load_failures;
  ++c.attempt;
  record_component(DecisionKind::load_failed,
                   c.unload_reason == Reason::timed_out ? Reason::timed_out : Reason::load_failed,
                   id);
  decisions.back().figure = static_cast<double>(c.attempt);
  decisions.back().other_figure = static_cast<double>(configuration.settings.load_attempts_max);
  rest(id, c.attempt);
  if (c.attempt >= configuration.settings.load_attempts_max) {
    c.attempt = 0;
    c.is_displaced = false;
    c.restarts = false;
    fail_waiting_on(id);
  }
  if (has_next_specs) apply_next_specs();
}

// Before the next try: twice as long after each failure of a series.
void Engine::Impl::rest(ComponentId id, unsigned failures) {
  constexpr Duration rest_max = 5min;
  Component& c = at(id);
  Duration delay = configuration.settings.retry_delay;
  for (unsigned i = 1; i < failures && delay < rest_max; ++i) delay *= 2;
  c.retry_at = now + std::max(std::min(delay, rest_max), configuration.settings.retry_delay);
  arm(TimerKind::retry, id.value, c.retry_at);
}

void Engine::Impl::cancel_load(ComponentId id) {
  Component& c = at(id);
  if (c.is_cancelled) return;
  c.is_cancelled = true;
  if (c.load_deadline == Instant::never()) c.unload_reason = Reason::timed_out;
  emit(action::CancelLoad{c.work});
}

void Engine::Impl::on(const event::ComponentExited& event) {
  if (event.component.value >= components.size()) return;
  Component& c = at(event.component);
  if (c.load != event.load) return;
  // What is being done with it ends first, and finds that.
  if (c.state == State::hibernating || c.state == State::resuming) c.has_exited = true;
  const bool is_up = c.state == State::ready || c.state == State::closing ||
                     c.state == State::draining || c.state == State::hibernated;
  if (!is_up) return;
  ++totals.exits;
  lose(event.component, Reason::lost);
}

// It is gone by itself: leases on it are void, and what depends on it cannot stay.
void Engine::Impl::lose(ComponentId id, Reason reason) {
  Component& c = at(id);
  const bool was_used = c.leases > 0;
  const bool was_asleep = c.state == State::hibernated;
  record_component(DecisionKind::exited, reason, id);
  decisions.back().bytes = ledger.held(id);
  drop_idle(id);
  draining.erase(id);
  leaving.erase(id);
  set_state(id, Trigger::exited);
  c.load = WorkId{};
  c.fast_pending = 0;
  ++c.failures;
  ++c.unloads;
  ++totals.unloads;
  // What ended in its sleep, perhaps for want of memory, waits until somebody wants it.
  c.restarts = (was_used || !c.spec.is_lazy || c.spec.is_default) && !was_asleep && !c.is_removed;
  // What lived for a while has not failed in a row.
  constexpr Duration lasting_life = 1min;
  c.short_lives = now - c.loaded_at < lasting_life ? std::min(c.short_lives + 1, 30U) : 1;
  rest(id, c.short_lives);
  if (policy->on_unload != nullptr) {
    policy->on_unload(policy_state, c.policy, candidate(id), false);
  }
  end_leases_on(id, Reason::lost);
  for (const ComponentId dependent : std::vector(c.dependents)) {
    if (is_engaged(dependent)) drain(dependent, Reason::need_gone);
  }
  disengage(id);
  if (has_next_specs) apply_next_specs();
  note_keep(id);
}

}  // namespace hearth

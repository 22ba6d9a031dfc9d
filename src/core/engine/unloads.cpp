#include <algorithm>

#include "core/engine/state.h"

namespace hearth {
namespace {

bool is_of_pressure(Reason reason) {
  return reason == Reason::pressure || reason == Reason::own_limit || reason == Reason::stall ||
         reason == Reason::swap || reason == Reason::foretold;
}

bool is_eviction(Reason reason) {
  return reason == Reason::memory || is_of_pressure(reason) || reason == Reason::over_budget;
}

}  // namespace

bool is_soft(Reason reason) {
  return reason == Reason::memory || reason == Reason::conflict || reason == Reason::idle ||
         reason == Reason::unused_preload || is_of_pressure(reason) ||
         reason == Reason::over_budget;
}

EvictionCandidate Engine::Impl::candidate(ComponentId id) const {
  const Component& c = at(id);
  // What hibernates is worth what it takes to have it back whole.
  return {.size = c.asleep > Bytes{} ? bound(id) : ledger.held(id),
          .load_time = c.load_time,
          .loaded_at = c.loaded_at,
          .last_used = c.last_used,
          .uses = c.grants,
          .predicted = c.probability_of == command_count ? c.probability : 0.0};
}

bool Engine::Impl::is_free(ComponentId id) const {
  const Component& c = at(id);
  const bool is_there = c.state == State::ready || c.state == State::draining ||
                        (c.state == State::hibernated && !c.is_waking);
  return is_there && c.leases == 0 && c.fast_pending == 0 && c.engaged_dependents == 0;
}

bool Engine::Impl::can_be_idle(ComponentId id) const {
  const Component& c = at(id);
  return c.state != State::draining && is_free(id) && !is_claimed(id) && !c.is_pinned &&
         c.spec.priority != Priority::core && !is_shutting_down;
}

// Puts it among the idle, or takes it out, as its state now says.
void Engine::Impl::refresh_idle(ComponentId id) {
  Component& c = at(id);
  const bool is_idle = can_be_idle(id);
  if (is_idle == c.is_in_idle) return;
  if (!is_idle) return drop_idle(id);
  c.is_in_idle = true;
  if (c.state == State::ready) c.idle_since = now;
  c.idle_key = policy->key(policy_state, c.policy, candidate(id), now);
  idle.emplace(c.spec.priority, c.idle_key, id);
  // Later than now: what is due in this step was looked at already.
  c.idle_deadline = idle_end(id, now + Duration{1ms});
  arm(TimerKind::idle, id.value, c.idle_deadline);
  note_defaults();
  if (!queue.empty() || !draining.empty() || ledger.shortfall({})) is_dirty = true;
}

void Engine::Impl::drop_idle(ComponentId id) {
  Component& c = at(id);
  if (!c.is_in_idle) return;
  c.is_in_idle = false;
  idle.erase({c.spec.priority, c.idle_key, id});
  disarm(TimerKind::idle, id.value, c.idle_deadline);
  c.idle_deadline = Instant::never();
}

void Engine::Impl::note_defaults() {
  for (const ComponentId id : defaults) {
    if (at(id).is_displaced) note_keep(id);
  }
}

// Keys that age are compared at one instant: all of them are made again.
void Engine::Impl::rekey_idle() {
  if (!policy->keys_age) return;
  std::set<std::tuple<Priority, double, ComponentId>> fresh;
  for (const auto& [priority, key, id] : idle) {
    Component& c = at(id);
    c.idle_key = policy->key(policy_state, c.policy, candidate(id), now);
    fresh.emplace(priority, c.idle_key, id);
  }
  idle = std::move(fresh);
}

void Engine::Impl::begin_close(ComponentId id, Reason reason, std::optional<ComponentId> because,
                               Tier tier) {
  HEARTH_ASSERT(is_free(id));
  Component& c = at(id);
  const bool is_asleep = c.state == State::hibernated;
  drop_idle(id);
  draining.erase(id);
  set_state(id, is_asleep ? Trigger::evict_hibernated : Trigger::close);
  leaving.insert(id);
  c.unload_reason = reason;
  c.unload_for = because;
  c.goes_to_sleep = tier == Tier::hibernated;
  if (is_eviction(reason) || reason == Reason::conflict || reason == Reason::turn)
    c.is_displaced = c.spec.is_default;
  record_component(c.goes_to_sleep ? DecisionKind::hibernate_started : DecisionKind::unload_started,
                   reason, id);
  Decision& decision = decisions.back();
  decision.bytes = ledger.held(id);
  decision.other_bytes = c.goes_to_sleep ? freed_by_hibernating(id)
                         : because       ? bound(*because)
                                         : Bytes{};
  decision.has_other = because.has_value();
  if (because) decision.other = *because;
  decision.figure = seconds(now - std::max(c.last_used, c.loaded_at));
  is_dirty = true;
  if (is_asleep) return start_unload(id);
  ++c.gates_asked;
  emit(action::CloseGate{id});
}

void Engine::Impl::on(const event::GateClosed& event) {
  if (event.component.value >= components.size()) return;
  Component& c = at(event.component);
  if (c.gates_asked > 0) --c.gates_asked;
  if (c.state != State::closing || c.gates_asked > 0) return;
  HEARTH_ASSERT(c.leases == 0);
  const bool may_sleep = !is_shutting_down && pressure < Pressure::emergency;
  if (std::exchange(c.goes_to_sleep, false) && may_sleep) return start_hibernate(event.component);
  set_state(event.component, Trigger::gate_closed);
  start_unload(event.component);
}

void Engine::Impl::start_unload(ComponentId id) {
  Component& c = at(id);
  c.work = WorkId{next_work++};
  work.emplace(c.work, id);
  c.load = WorkId{};
  emit(action::StartUnload{c.work, id});
}

void Engine::Impl::on(const event::GateRefused& event) {
  if (event.component.value >= components.size()) return;
  const ComponentId id = event.component;
  Component& c = at(id);
  if (c.gates_asked > 0) --c.gates_asked;
  if (c.state != State::closing || c.gates_asked > 0) return;
  set_state(id, Trigger::gate_refused);
  leaving.erase(id);
  c.is_displaced = false;
  c.goes_to_sleep = false;
  // Their events are on the way, or came before this one: a moment, then the gate may be asked
  // again.
  c.fast_pending = event.leases > c.fast_leases ? event.leases - c.fast_leases : 0;
  if (c.fast_pending > 0) arm(TimerKind::retry, id.value, now + 1s);
  is_dirty = true;
  if (!is_soft(c.unload_reason) && !is_shutting_down) {
    set_state(id, Trigger::drain);
    draining.insert(id);
    emit(action::BarGate{id});
    return;
  }
  refresh_idle(id);
}

void Engine::Impl::on(const event::UnloadFinished& event) {
  const auto found = work.find(event.work);
  if (found == work.end() || at(found->second).state != State::unloading) return;
  const ComponentId id = found->second;
  work.erase(found);
  at(id).work = WorkId{};
  set_state(id, Trigger::unload_done);
  leaving.erase(id);
  gone(id);
}

void Engine::Impl::gone(ComponentId id) {
  Component& c = at(id);
  if (policy->on_unload != nullptr) {
    policy->on_unload(policy_state, c.policy, candidate(id), is_eviction(c.unload_reason));
  }
  record_component(DecisionKind::unload_done, c.unload_reason, id);
  decisions.back().bytes = ledger.held(id);
  ++c.unloads;
  ++totals.unloads;
  const bool was_cancelled = std::exchange(c.is_cancelled, false);
  c.is_preload = false;
  c.unload_for.reset();
  disengage(id);
  if (was_cancelled && c.unload_reason == Reason::timed_out) {
    // It became ready too late, which counts as a failed attempt.
    ++c.attempt;
    rest(id, c.attempt);
    if (c.attempt >= configuration.settings.load_attempts_max) {
      c.attempt = 0;
      fail_waiting_on(id);
    }
  }
  if (has_next_specs) apply_next_specs();
  note_keep(id);
}

// It has to go, and what depends on it before it. What is in use is waited for.
void Engine::Impl::drain(ComponentId id, Reason reason, std::optional<ComponentId> because) {
  Component& c = at(id);
  if (!is_engaged(id)) return;
  if (reason == Reason::need_gone && c.leases > 0) {
    c.restarts = !c.is_removed;
    end_leases_on(id, Reason::lost);
  }
  for (const ComponentId dependent : std::vector(c.dependents)) {
    if (!is_engaged(dependent)) continue;
    if (reason == Reason::restart && is_resident(at(dependent).state) && is_present(dependent))
      at(dependent).restarts = true;
    drain(dependent, reason, because);
  }
  if (admitted.contains(id)) {
    // Not started: who asked for it asks again for room.
    withdraw(id);
    if (c.state != State::hibernated) return;
  }
  switch (c.state) {
    case State::loading:
    case State::resuming:
      if (c.unload_reason == Reason::none) c.unload_reason = reason;
      cancel_load(id);
      return;
    case State::ready:
      drop_idle(id);
      if (is_free(id)) return begin_close(id, reason, because);
      set_state(id, Trigger::drain);
      draining.insert(id);
      c.unload_reason = reason;
      c.unload_for = because;
      // Warm clients that follow each other closely would hold it for ever.
      if (!is_soft(reason)) emit(action::BarGate{id});
      is_dirty = true;
      return;
    case State::draining:
      if (is_soft(c.unload_reason) && !is_soft(reason)) emit(action::BarGate{id});
      [[fallthrough]];
    case State::closing:
      c.goes_to_sleep = false;
      [[fallthrough]];
    case State::hibernating:
      if (!is_soft(reason)) c.unload_reason = reason;
      return;
    case State::hibernated:
      begin_close(id, reason, because);
      return;
    case State::unloaded:
    case State::unloading:
    case State::failed:
      return;
  }
}

void Engine::Impl::undrain(ComponentId id) {
  set_state(id, Trigger::undrain);
  draining.erase(id);
  if (!is_soft(std::exchange(at(id).unload_reason, Reason::none))) emit(action::OpenGate{id});
  refresh_idle(id);
  is_dirty = true;
}

void Engine::Impl::settle_drains() {
  if (draining.empty()) return;
  const IdSet<ComponentId> looked_at = draining;
  for (const ComponentId id : looked_at) {
    const Component& c = at(id);
    if (c.state != State::draining) continue;
    const bool is_depended_on = std::ranges::any_of(c.dependents, [this](ComponentId dependent) {
      return is_engaged(dependent) && !leaving.contains(dependent) && !draining.contains(dependent);
    });
    const bool is_held = c.leases > 0 || c.fast_pending > 0 || c.is_pinned || is_depended_on;
    if (give_turn_back(id, is_depended_on)) continue;
    // Whoever it was to make room for is not wanted any more, or may not displace it any more.
    const bool is_in_vain =
        c.unload_reason == Reason::conflict && c.unload_for &&
        (at(*c.unload_for).wanted == 0 || at(*c.unload_for).spec.priority < c.spec.priority);
    if ((is_soft(c.unload_reason) && is_held) || is_in_vain) {
      undrain(id);
    } else if (is_free(id)) {
      begin_close(id, c.unload_reason, c.unload_for);
    }
  }
}

// What stands against unloading by hand: a pin, a lease, or a core component on it or above it.
std::vector<ComponentId> Engine::Impl::with_engaged_dependents(ComponentId id) const {
  std::vector<ComponentId> above{id};
  for (std::size_t i = 0; i < above.size(); ++i) {
    for (const ComponentId dependent : at(above[i]).dependents) {
      if (is_engaged(dependent) && std::ranges::find(above, dependent) == above.end()) {
        above.push_back(dependent);
      }
    }
  }
  return above;
}

bool Engine::Impl::refuse_unload(Request& request) {
  for (const ComponentId id : request.asked) {
    if (id.value >= components.size() || (at(id).is_removed && !is_engaged(id))) {
      refuse(request, Errc::not_found, Reason::unknown_component, id, id);
      return true;
    }
    for (const ComponentId above : with_engaged_dependents(id)) {
      const Component& c = at(above);
      const bool is_above = above != id;
      const Reason reason = c.leases > 0 || c.fast_pending > 0              ? Reason::leased
                            : c.is_pinned                                   ? Reason::pin
                            : is_above && c.spec.priority == Priority::core ? Reason::core
                                                                            : Reason::none;
      if (reason != Reason::none) {
        refuse(request, Errc::conflict, reason, id, above);
        return true;
      }
      if (is_engaged(above) && std::ranges::find(request.leaving, above) == request.leaving.end()) {
        request.leaving.push_back(above);
      }
    }
  }
  return false;
}

void Engine::Impl::on(const event::UnloadRequested& event) {
  Request request{.id = event.request,
                  .kind = WantKind::unload,
                  .reason = Reason::operator_asked,
                  .asked = event.components,
                  .owner = {},
                  .arrived = now,
                  .deadline = now + configuration.settings.load_timeout * 2};
  if (requests.contains(request.id)) return;
  if (is_shutting_down) {
    return refuse(request, Errc::unavailable, Reason::shutting_down, ComponentId{}, ComponentId{});
  }
  if (event.components.empty()) {
    for (const auto& [priority, key, id] : idle) request.asked.push_back(id);
    // What only idle ones depend on goes with them.
    for (std::size_t i = 0; i < request.asked.size(); ++i) {
      for (const ComponentId need : at(request.asked[i]).needs) {
        const Component& c = at(need);
        const bool is_alone = std::ranges::all_of(c.dependents, [&](ComponentId dependent) {
          return !is_engaged(dependent) ||
                 std::ranges::find(request.asked, dependent) != request.asked.end();
        });
        if (is_alone && c.state == State::ready && c.leases == 0 && c.fast_pending == 0 &&
            c.claimed == 0 && !c.is_pinned && c.spec.priority != Priority::core &&
            std::ranges::find(request.asked, need) == request.asked.end()) {
          request.asked.push_back(need);
        }
      }
    }
  }
  if (refuse_unload(request)) return;
  for (const ComponentId id : request.asked) {
    at(id).is_stopped = true;
    drain(id, Reason::operator_asked);
  }
  if (std::ranges::none_of(request.asked, [this](ComponentId id) { return is_engaged(id); })) {
    return reply_unloaded(request);
  }
  ++unload_requests;
  enqueue(std::move(request));
}

void Engine::Impl::settle_unload_requests() {
  if (unload_requests == 0) return;
  std::vector<RequestId> done;
  for (const auto& [id, request] : requests) {
    if (request.kind == WantKind::unload &&
        std::ranges::none_of(request.asked, [this](ComponentId c) { return is_engaged(c); })) {
      done.push_back(id);
    }
  }
  for (const RequestId id : done) {
    reply_unloaded(dequeue(id));
  }
}

void Engine::Impl::reply_unloaded(const Request& request) {
  action::Reply reply{.request = request.id, .is_granted = true};
  reply.wait = now - request.arrived;
  for (const ComponentId id : request.leaving) {
    const bool is_asked = std::ranges::find(request.asked, id) != request.asked.end();
    reply.components.push_back(
        {.component = id, .is_cold = false, .is_ready = false, .is_asked = is_asked});
  }
  emit(std::move(reply));
}

}  // namespace hearth

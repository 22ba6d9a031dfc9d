#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

void Engine::Impl::on(const event::ShutdownRequested&) {
  if (is_shutting_down) return;
  is_shutting_down = true;
  record(DecisionKind::shutdown, Reason::shutting_down);
  while (!requests.empty()) {
    const Request request = requests.begin()->second;
    dequeue(request.id);
    refuse(request, Errc::unavailable, Reason::shutting_down, ComponentId{}, ComponentId{});
  }
  withdraw_unwanted();
  for (const ComponentId id : IdSet(loading)) {
    at(id).unload_reason = Reason::shutting_down;
    cancel_load(id);
  }
  cancel_hibernations();
  for (std::uint32_t i = 0; i < components.size(); ++i) drop_idle(ComponentId{i});
  drain_until = leases.empty() ? now : now + configuration.settings.drain_time_max;
  if (!leases.empty()) arm(TimerKind::drain, 0, drain_until);
  is_dirty = true;
}

// In reverse order of needs: a component goes when nothing depends on it and nobody holds it.
void Engine::Impl::settle_shutdown() {
  bool is_empty = true;
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const ComponentId id{i};
    if (!is_engaged(id)) continue;
    is_empty = false;
    if (is_free(id)) begin_close(id, Reason::shutting_down, {});
  }
  is_dirty = false;
  if (is_empty && !std::exchange(is_stopped, true)) {
    flush_record();
    emit(action::Stopped{});
  }
}

void Engine::Impl::on(const event::Restored& event) {
  requests.clear();
  armed = Instant::never();
  is_shutting_down = false;
  is_stopped = false;
  drain_until = Instant::never();
  std::set<ComponentId> running;
  for (const event::Running& one : event.running) {
    if (one.component.value < components.size()) running.insert(one.component);
  }
  forget_what_is_gone(running);
  for (const event::Running& one : event.running) {
    if (one.component.value < components.size()) adopt(one);
  }
  timers.clear();
  rebuild_derived();
  for (std::uint32_t i = 0; i < components.size(); ++i) note_keep(ComponentId{i});
  settle_adopted();
  apply_next_specs();
  is_told_stuck = false;
  is_dirty = true;
}

void Engine::Impl::forget_what_is_gone(const std::set<ComponentId>& running) {
  std::vector<LeaseId> lost;
  for (auto& [id, lease] : leases) {
    lease.is_fast = false;
    // An answer ended with the daemon that passed it on.
    if (lease.ends_with_answer || !std::ranges::all_of(lease.components, [&](ComponentId held) {
          return running.contains(held);
        })) {
      lost.push_back(id);
    }
  }
  for (const LeaseId id : lost) {
    Decision& decision = record(DecisionKind::lease_ended, Reason::lost);
    decision.lease = id;
    const std::vector<ComponentId>& held = leases.at(id).components;
    emit(action::LeaseEnded{id, Reason::lost, held.empty() ? ComponentId{} : held.front()});
    leases.erase(id);
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    Component& c = components[i];
    c.work = WorkId{};
    c.is_kept = false;
    c.is_cancelled = false;
    c.fast_pending = 0;
    c.gates_asked = 0;
    c.load_deadline = Instant::never();
    c.attempt = 0;
    c.retry_at = Instant{};
    c.is_eager_done = false;
    c.short_lives = 0;
    c.undemanded.clear();
    c.is_waking = false;
    c.goes_to_sleep = false;
    c.has_exited = false;
    if (c.no_sleep_before == Instant::never()) c.no_sleep_before = Instant{};
    if (running.contains(ComponentId{i})) continue;
    if (is_resident(c.state)) ++c.unloads;
    c.asleep = Bytes{};
    c.state = State::unloaded;
    c.load = WorkId{};
    c.is_preload = false;
    if (is_engaged(ComponentId{i})) ledger.release(ComponentId{i});
  }
}

void Engine::Impl::adopt(const event::Running& running) {
  Component& c = at(running.component);
  if (!is_resident(c.state)) ++c.loads;
  // What hibernated was woken to be taken over.
  const bool was_asleep = std::exchange(c.asleep, Bytes{}) > Bytes{};
  c.state = State::ready;
  c.load = running.load;
  begin_life(running.component);
  next_work = std::max(next_work, running.load.value + 1);
  if (!is_engaged(running.component)) {
    ledger.hold(running.component, demand_for(running.component));
    c.loaded_at = now;
    c.turn_began = now;
  }
  if (was_asleep) ledger.replace(running.component, bound(running.component));
  hold_measured(running.component, running.measured);
}

// What really runs may not fit together with what is configured: then it goes.
void Engine::Impl::settle_adopted() {
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    if (components[i].state == State::ready) emit(action::OpenGate{ComponentId{i}});
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const ComponentId id{i};
    Component& c = components[i];
    if (c.state != State::ready) continue;
    const bool has_needs = std::ranges::all_of(
        c.needs, [this](ComponentId need) { return at(need).state == State::ready; });
    const bool has_rival = std::ranges::any_of(
        c.conflicts, [&](ComponentId rival) { return rival < id && is_resident(at(rival).state); });
    if (!has_needs || has_rival) drain(id, Reason::need_gone);
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const ComponentId id{i};
    Component& c = components[i];
    if (is_engaged(id) && c.is_removed) drain(id, Reason::removed);
    if (is_engaged(id) && c.next_spec) {
      c.restarts = !c.is_removed;
      drain(id, Reason::restart);
    }
  }
}

}  // namespace hearth

#include "core/engine/state.h"

namespace hearth {

void Engine::Impl::arm(TimerKind kind, std::uint64_t id, Instant at) {
  if (at == Instant::never()) return;
  if (spare_timer.empty()) {
    timers.emplace(at, kind, id);
    return;
  }
  spare_timer.value() = {at, kind, id};
  spare_timer = timers.insert(std::move(spare_timer)).node;
}

void Engine::Impl::disarm(TimerKind kind, std::uint64_t id, Instant at) {
  if (at == Instant::never()) return;
  const auto found = timers.find({at, kind, id});
  if (found != timers.end()) spare_timer = timers.extract(found);
}

// Bounded by the timers that were due when the step began: what fires may arm later ones only.
void Engine::Impl::fire_due() {
  for (std::size_t left = timers.size(); left > 0 && !timers.empty(); --left) {
    const auto [at, kind, id] = *timers.begin();
    if (at > now) return;
    spare_timer = timers.extract(timers.begin());
    fire(kind, id, at);
  }
}

void Engine::Impl::fire(TimerKind kind, std::uint64_t id, Instant due) {
  is_dirty = true;
  switch (kind) {
    case TimerKind::request: {
      const auto found = requests.find(RequestId{id});
      if (found != requests.end() && found->second.deadline == due) {
        request_timed_out(found->second);
      }
      return;
    }
    case TimerKind::lease: {
      const auto found = leases.find(LeaseId{id});
      if (found != leases.end() && found->second.until == due) {
        end_lease(
            LeaseId{id}, found->second.is_revoked ? Reason::revoked : Reason::expired, true,
            found->second.components.empty() ? ComponentId{} : found->second.components.front());
      }
      return;
    }
    case TimerKind::load: {
      Component& component = components[id];
      if (component.load_deadline != due) return;
      component.load_deadline = Instant::never();
      const bool is_coming =
          component.state == State::loading || component.state == State::resuming;
      if (is_coming && !component.is_cancelled) {
        cancel_load(ComponentId{static_cast<std::uint32_t>(id)});
      }
      return;
    }
    case TimerKind::retry:
      components[id].fast_pending = 0;
      refresh_idle(ComponentId{static_cast<std::uint32_t>(id)});
      note_keep(ComponentId{static_cast<std::uint32_t>(id)});
      return;
    case TimerKind::idle: {
      const ComponentId component{static_cast<std::uint32_t>(id)};
      if (at(component).idle_deadline != due || !at(component).is_in_idle) return;
      at(component).idle_deadline = Instant::never();
      if (at(component).claimed > 0) {  // of what hibernates: somebody waits for it
        at(component).idle_deadline =
            now + std::max<Duration>(configuration.settings.preload_expiry, 1s);
        arm(TimerKind::idle, id, at(component).idle_deadline);
        return;
      }
      const auto& ttl = at(component).spec.ttl;
      const bool is_over = ttl && now - at(component).idle_since >= *ttl;
      const bool hibernates = !is_over && is_worth_hibernating(component, false);
      begin_close(component, at(component).is_preload ? Reason::unused_preload : Reason::idle, {},
                  hibernates ? Tier::hibernated : Tier::unloaded);
      return;
    }
    case TimerKind::turn:
      return;  // whoever waits is looked at again
    case TimerKind::drain:
      // The time for leases is over: whoever still holds one is told and loses it.
      while (!leases.empty()) {
        end_lease(leases.begin()->first, Reason::shutting_down, true, ComponentId{});
      }
      return;
  }
}

void Engine::Impl::arm_shell() {
  const Instant earliest = timers.empty() ? Instant::never() : std::get<0>(*timers.begin());
  if (earliest == armed) return;
  armed = earliest;
  emit(action::ArmTimer{earliest});
}

}  // namespace hearth

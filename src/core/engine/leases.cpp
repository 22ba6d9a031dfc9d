#include <algorithm>

#include "base/limits.h"
#include "core/engine/state.h"

namespace hearth {

LeaseId Engine::Impl::add_lease(Lease lease) {
  const LeaseId id = lease.id;
  if (lease.is_preemptible) ++preemptible_leases;
  for (const ComponentId component : lease.components) {
    Component& c = at(component);
    ++c.leases;
    if (lease.is_preemptible) ++c.preemptible_leases;
    if (lease.ends_with_answer && c.answer_leases++ == 0) answering.insert(component);
    if (lease.is_fast) ++c.fast_leases;
    refresh_idle(component);
  }
  arm(TimerKind::lease, id.value, lease.until);
  leases.emplace(id, std::move(lease));
  return id;
}

void Engine::Impl::end_lease(LeaseId id, Reason reason, bool is_told, ComponentId cause) {
  const auto found = leases.find(id);
  HEARTH_ASSERT(found != leases.end());
  const Lease lease = std::move(found->second);
  leases.erase(found);
  if (lease.is_preemptible) --preemptible_leases;
  disarm(TimerKind::lease, id.value, lease.until);
  for (const ComponentId component : lease.components) {
    Component& c = at(component);
    HEARTH_ASSERT(c.leases > 0);
    --c.leases;
    if (lease.is_preemptible) --c.preemptible_leases;
    if (lease.ends_with_answer && --c.answer_leases == 0) answering.erase(component);
    if (lease.is_fast) --c.fast_leases;
    if (c.leases == 0 && c.last_used < now) c.last_used = now;
    if (lease.is_fast) emit(action::ReleaseGate{component});
    refresh_idle(component);
  }
  if (is_told) {
    Decision& decision = record(DecisionKind::lease_ended, reason);
    decision.lease = id;
    decision.component = cause;
    decision.has_component = !lease.components.empty();
    emit(action::LeaseEnded{id, reason, cause});
  }
  // An answer that ends among others changes nothing for who waits; the last one does, and so does
  // one beside which others can be revoked.
  const bool is_loosened = std::ranges::any_of(lease.components, [this](ComponentId component) {
    return at(component).leases == at(component).preemptible_leases;
  });
  const bool is_news = !queue.empty() && (is_loosened || !lease.ends_with_answer);
  is_dirty = is_dirty || is_news || leases.size() + 1 >= leases_max || is_shutting_down ||
             !is_all_ready(lease.components);
}

// Every lease that holds this component is void: what it was given is not there any more.
void Engine::Impl::end_leases_on(ComponentId id, Reason reason) {
  if (at(id).leases == 0) return;
  std::vector<LeaseId> ended;
  for (const auto& [lease_id, lease] : leases) {
    if (std::ranges::find(lease.components, id) != lease.components.end())
      ended.push_back(lease_id);
  }
  for (const LeaseId lease : ended) end_lease(lease, reason, true, id);
}

void Engine::Impl::on(const event::LeaseTaken& event) {
  bool is_alive = leases.size() < leases_max && !leases.contains(event.lease) &&
                  (!is_shutting_down || now < drain_until);
  for (const ComponentId id : event.components) {
    if (id.value >= components.size()) return;
  }
  // A command that the engine has not heard of is the one whose answer this lease is.
  const bool is_answer = event.command && find_command(event.command) == nullptr;
  if (is_answer) {
    note_command(event.command, event.session, event.intents);
    if (!event.asked.empty()) ++totals.objectives_met;
  }
  for (const ComponentId id : event.components) {
    Component& c = at(id);
    if (c.fast_pending > 0) --c.fast_pending;
    const bool is_there = c.state == State::ready || c.state == State::closing ||
                          (c.state == State::draining && c.unload_reason != Reason::need_gone);
    is_alive = is_alive && is_there;
  }
  if (!is_alive) {
    for (const ComponentId id : event.components) {
      emit(action::ReleaseGate{id});
      refresh_idle(id);
    }
    Decision& decision = record(DecisionKind::lease_ended, Reason::lost);
    decision.lease = event.lease;
    emit(action::LeaseEnded{event.lease, Reason::lost, ComponentId{}});
    return;
  }
  if (!is_answer) learn_from_lease(event.session, event.command, event.asked, event.is_use);
  add_lease({.id = event.lease,
             .components = event.components,
             .request = {},
             .command = event.command,
             .session = event.session,
             .owner = event.owner,
             .granted_at = now,
             .until = now + event.length,
             .is_preemptible = event.is_preemptible,
             .is_revoked = false,
             .is_fast = true,
             .ends_with_answer = event.ends_with_answer});
  for (const ComponentId id : event.asked) {
    if (id.value < components.size()) touch(id);
  }
  for (const ComponentId id : event.components) at(id).undemanded.clear();
  is_dirty = is_dirty || is_shutting_down || !is_all_ready(event.components);
}

void Engine::Impl::on(const event::LeaseRenewed& event) {
  const auto found = leases.find(event.lease);
  if (found == leases.end()) {
    refuse_plainly(event.request, Errc::not_found, Reason::unknown_lease);
    return;
  }
  Lease& lease = found->second;
  if (lease.is_revoked || is_shutting_down) {
    refuse_plainly(event.request, Errc::conflict,
                   is_shutting_down ? Reason::shutting_down : Reason::revoked);
    return;
  }
  disarm(TimerKind::lease, lease.id.value, lease.until);
  lease.until = now + event.length;
  arm(TimerKind::lease, lease.id.value, lease.until);
  action::Reply reply{.request = event.request, .is_granted = true};
  reply.lease = lease.id;
  reply.lease_until = lease.until;
  emit(std::move(reply));
}

void Engine::Impl::on(const event::LeaseReleased& event) {
  if (!leases.contains(event.lease)) {
    refuse_plainly(event.request, Errc::not_found, Reason::unknown_lease);
    return;
  }
  end_lease(event.lease, Reason::released, false, ComponentId{});
  action::Reply reply{.request = event.request, .is_granted = true};
  reply.lease = event.lease;
  emit(std::move(reply));
}

void Engine::Impl::on(const event::UseReported& event) {
  KnownCommand* const found = find_command(event.command);
  if (found == nullptr) {
    refuse_plainly(event.request, Errc::not_found, Reason::unknown_command, event.command);
    return;
  }
  std::vector<ComponentId> used = event.used;
  std::erase_if(used, [this](ComponentId id) { return id.value >= components.size(); });
  for (const ComponentId id : used) note_use(*found, id);
  emit(action::Learn{event.command, std::move(used)});
  action::Reply reply{.request = event.request, .is_granted = true};
  reply.command = event.command;
  emit(std::move(reply));
}

// Once for each command, however it is told.
void Engine::Impl::note_use(KnownCommand& command, ComponentId id, bool is_counted) {
  if (id.value >= components.size() || std::ranges::find(command.used, id) != command.used.end()) {
    return;
  }
  command.used.push_back(id);
  if (!is_counted) return;
  const bool was_cold = std::ranges::find(command.cold, id) != command.cold.end();
  count_use(id, !was_cold && at(id).state == State::ready);
}

// An explicit lease is evidence for the command it names, or for its session's last one.
void Engine::Impl::learn_from_lease(SessionId session, CommandId command,
                                    const std::vector<ComponentId>& used, bool is_use) {
  if (is_use) {
    for (const ComponentId id : used) {
      if (is_known(id)) count_use(id, at(id).state == State::ready);
    }
  }
  KnownCommand* known = nullptr;
  if (command) {
    known = find_command(command);
  } else if (const auto last = last_of_session.find(session); last != last_of_session.end()) {
    known = &commands[last->second - commands_dropped];
  }
  if (known == nullptr || now - known->at > configuration.settings.learning_window) return;
  for (const ComponentId id : used) note_use(*known, id, !is_use);
  emit(action::Learn{known->id, used});
}

}  // namespace hearth

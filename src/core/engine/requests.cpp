#include <algorithm>

#include "base/limits.h"
#include "core/engine/state.h"

namespace hearth {

// Every command comes here once: asked of the engine, or answered by a fast lease.
void Engine::Impl::note_command(CommandId command, SessionId session,
                                const std::vector<Intent>& intents) {
  ++totals.commands;
  ++command_count;
  if (commands.size() >= commands_kept_max) {
    const auto last = last_of_session.find(commands.front().session);
    if (last != last_of_session.end() && last->second == commands_dropped) {
      last_of_session.erase(last);
    }
    commands.pop_front();
    ++commands_dropped;
  }
  if (session) last_of_session[session] = commands_dropped + commands.size();
  command_max = std::max(command_max, command);
  commands.push_back({command, session, now, {}, {}});
  for (const Intent& intent : intents) {
    if (!is_known(intent.component)) continue;
    at(intent.component).probability = intent.probability;
    at(intent.component).probability_of = command_count;
  }
}

void Engine::Impl::index_commands() {
  commands_dropped = 0;
  last_of_session.clear();
  command_max = CommandId{};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (commands[i].session) last_of_session[commands[i].session] = i;
    command_max = std::max(command_max, commands[i].id);
  }
}

// Ids come in order but for commands that overtook each other on their way.
KnownCommand* Engine::Impl::find_command(CommandId id) {
  if (id > command_max) return nullptr;
  const std::uint64_t place = id.value - (commands.empty() ? 0 : commands.front().id.value);
  if (place < commands.size() && commands[place].id == id) return &commands[place];
  const auto near = std::ranges::lower_bound(commands, id, {}, &KnownCommand::id);
  if (near != commands.end() && near->id == id) return &*near;
  const auto found = std::ranges::find(commands, id, &KnownCommand::id);
  return found == commands.end() ? nullptr : &*found;
}

void Engine::Impl::on(const event::CommandReceived& event) {
  note_command(event.command, event.session, event.intents);
  Request request{.id = event.request,
                  .kind = WantKind::command,
                  .reason = Reason::demand,
                  .session = event.session,
                  .command = event.command,
                  .owner = {},
                  .length = event.lease,
                  .ends_with_answer = event.ends_with_answer,
                  .arrived = now,
                  .deadline = now + event.patience};
  std::vector<ComponentId> likely;
  const Settings& settings = configuration.settings;
  for (const Intent& intent : event.intents) {
    if (!is_known(intent.component)) continue;
    if (intent.probability >= settings.threshold) {
      request.asked.push_back(intent.component);
    } else if (intent.probability >= settings.preload_threshold) {
      likely.push_back(intent.component);
    }
  }
  request.has_reply = true;
  if (!event.waits && !is_shutting_down && !refuse_at_once(request)) {
    action::Reply reply{.request = event.request, .is_granted = true, .is_accepted = true};
    reply.command = event.command;
    const auto all = closure_of(request.asked);
    for (const ComponentId id : all) {
      const bool is_ready = at(id).state == State::ready;
      reply.components.push_back(
          {id, !is_ready, is_ready, std::ranges::find(request.asked, id) != request.asked.end()});
    }
    emit(std::move(reply));
    request.has_reply = false;
    if (!request.asked.empty()) receive(std::move(request));
  } else if (event.waits || is_shutting_down) {
    receive(std::move(request));
  }
  for (const ComponentId id : likely) preload(id, event.command);
}

void Engine::Impl::on(const event::SignalReceived&) {}

void Engine::Impl::on(const event::LeaseRequested& event) {
  if (!is_shutting_down) {
    learn_from_lease(event.session, event.command, event.components, event.is_use);
  }
  receive({.id = event.request,
           .kind = WantKind::lease,
           .reason = Reason::lease,
           .asked = event.components,
           .session = event.session,
           .command = event.command,
           .owner = event.owner,
           .length = event.length,
           .is_preemptible = event.is_preemptible,
           .ends_with_answer = event.ends_with_answer,
           .arrived = now,
           .deadline = now + event.patience});
}

void Engine::Impl::on(const event::LoadRequested& event) {
  Request request{.id = event.request,
                  .kind = WantKind::load,
                  .reason = Reason::operator_asked,
                  .asked = {event.component},
                  .owner = {},
                  .arrived = now,
                  .deadline = now + event.patience};
  if (is_known(event.component)) at(event.component).is_stopped = false;
  if (!event.waits) {
    if (is_shutting_down) return refuse(request, Errc::unavailable, Reason::shutting_down, {}, {});
    if (refuse_at_once(request)) return;
    action::Reply reply{.request = event.request, .is_granted = true, .is_accepted = true};
    emit(std::move(reply));
    request.has_reply = false;
  }
  receive(std::move(request));
}

void Engine::Impl::on(const event::PinRequested& event) {
  if (!is_known(event.component)) {
    return refuse_plainly(event.request, Errc::not_found, Reason::unknown_component);
  }
  Component& c = at(event.component);
  if (c.is_pinned != event.is_pinned) {
    c.is_pinned = event.is_pinned;
    if (c.is_pinned) {
      // The later word of the operator counts: an unload that still waits for leases is given up.
      c.is_stopped = false;
      for (const ComponentId member : std::vector(c.closure)) {
        const Component& held = at(member);
        const bool is_asked = held.unload_reason == Reason::operator_asked;
        if (held.state == State::draining && is_asked) undrain(member);
      }
    }
    drop_lasting_keeps(event.component);
    record_component(event.is_pinned ? DecisionKind::pinned : DecisionKind::unpinned,
                     Reason::operator_asked, event.component);
    note_keep(event.component);
    refresh_idle(event.component);
  }
  emit(action::Reply{.request = event.request, .is_granted = true});
}

void Engine::Impl::on(const event::RequestAbandoned& event) {
  if (const auto found = requests.find(event.request); found != requests.end()) {
    if ((event.request.value & internal_bit) != 0) return;
    const Request request = dequeue(event.request);
    cancel_unwanted(request.closure);
    return;
  }
  for (const auto& [id, lease] : leases) {
    if (lease.request == event.request && event.request) {
      end_lease(id, Reason::abandoned, true, ComponentId{});
      return;
    }
  }
}

// What is loading for somebody who hung up, and for nobody else, need not go on.
void Engine::Impl::cancel_unwanted(const std::vector<ComponentId>& members) {
  for (const ComponentId id : members) {
    Component& c = at(id);
    if (c.state != State::loading || c.wanted > 0 || c.is_cancelled) continue;
    c.unload_reason = Reason::abandoned;
    cancel_load(id);
  }
}

Reason Engine::Impl::too_large(const Ledger::Shortfall& shortfall) const {
  if (shortfall.pool.value != 0) return Reason::pool_too_small;
  return shortfall.resource.value != 0 ? Reason::device_too_small : Reason::too_large;
}

// A request that cannot ever be granted as things are declared; it has been refused then.
bool Engine::Impl::refuse_at_once(const Request& request) {
  for (const ComponentId id : request.asked) {
    if (is_known(id)) continue;
    refuse(request, Errc::not_found, Reason::unknown_component, id, id);
    return true;
  }
  const auto members = closure_of(request.asked);
  if (is_all_ready(members)) return false;
  std::vector<Ledger::Demand> demands;
  for (const ComponentId id : members) {
    for (const ComponentId rival : at(id).conflicts) {
      if (std::ranges::find(members, rival) == members.end()) continue;
      refuse(request, Errc::conflict, Reason::conflicting_set, id, rival);
      return true;
    }
    demands.push_back(demand_for(id));
    if (is_present(id) && is_resident(at(id).state)) demands.back() = ledger.demand_of(id);
  }
  const auto short_of = Ledger::of_budgets(ledger).shortfall(demands);
  if (!short_of) return false;
  // Whoever takes most of what there is too little of; and who asked for it.
  ComponentId largest = members.front();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto place = std::ranges::find(members, largest) - members.begin();
    const Bytes most = Ledger::share(demands[static_cast<std::size_t>(place)], *short_of);
    if (Ledger::share(demands[i], *short_of) > most) largest = members[i];
  }
  refuse(request, Errc::over_budget, too_large(*short_of), largest,
         who_needs(request.asked, largest));
  return true;
}

void Engine::Impl::receive(Request request) {
  if (requests.contains(request.id)) return;
  if (is_shutting_down) {
    return refuse(request, Errc::unavailable, Reason::shutting_down, ComponentId{}, ComponentId{});
  }
  if (!request.asked.empty()) request.priority = Priority::low;
  std::ranges::sort(request.asked);
  request.asked.erase(std::ranges::unique(request.asked).begin(), request.asked.end());
  for (const ComponentId id : request.asked) {
    if (!is_known(id)) {
      return refuse(request, Errc::not_found, Reason::unknown_component, id, id);
    }
  }
  request.closure = closure_of(request.asked);
  for (const ComponentId id : request.asked) {
    at(id).is_stopped = false;
    at(id).undemanded.clear();
    request.priority = std::max(request.priority, at(id).spec.priority);
  }
  if (request.asked.empty()) return grant(request);
  if (is_all_ready(request.closure) && leases.size() < leases_max) return grant(request);
  for (const ComponentId id : request.closure) {
    if (at(id).state != State::ready) request.cold.push_back(id);
    at(id).undemanded.clear();
  }
  if (refuse_at_once(request)) return;
  if (requests.size() >= requests_waiting_max) {
    return refuse(request, Errc::exhausted, Reason::queue_full, request.asked.front(),
                  request.asked.front());
  }
  enqueue(std::move(request));
}

std::vector<ComponentId> Engine::Impl::closure_of(const std::vector<ComponentId>& asked) const {
  if (asked.size() == 1) return at(asked.front()).closure;
  std::vector<ComponentId> all;
  for (const ComponentId id : asked) {
    all.insert(all.end(), at(id).closure.begin(), at(id).closure.end());
  }
  std::ranges::sort(all, [this](ComponentId a, ComponentId b) {
    return std::pair{at(a).rank, a} < std::pair{at(b).rank, b};
  });
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

bool Engine::Impl::is_all_ready(const std::vector<ComponentId>& members) const {
  return std::ranges::all_of(members,
                             [this](ComponentId id) { return at(id).state == State::ready; });
}

// Everything it asked for is ready: a lease for whoever asked for one, and the reply.
void Engine::Impl::grant(Request& request) {
  const bool is_use = request.kind == WantKind::command || request.kind == WantKind::lease;
  LeaseId lease;
  Instant until;
  if (is_use && request.has_reply && !request.asked.empty() && request.length > Duration{0}) {
    lease = LeaseId{next_lease++};
    until = now + request.length;
    add_lease({.id = lease,
               .components = request.asked,
               .request = request.id,
               .command = request.command,
               .session = request.session,
               .owner = request.owner,
               .granted_at = now,
               .until = until,
               .is_preemptible = request.is_preemptible,
               .ends_with_answer = request.ends_with_answer});
  }
  if (is_use) {
    for (const ComponentId id : request.asked) touch(id);
    if (request.kind == WantKind::command && !request.cold.empty()) {
      if (KnownCommand* known = find_command(request.command)) known->cold = request.cold;
    }
    const Duration objective =
        configuration.settings.wait_objectives[static_cast<std::size_t>(request.priority)];
    count_objective(request, now - request.arrived <= objective);
  }
  if (request.has_reply) reply_granted(request, lease, until);
  is_dirty = true;
}

// Of waits that somebody really waited.
void Engine::Impl::count_objective(const Request& request, bool is_met) {
  const bool is_wait = request.kind == WantKind::command || request.kind == WantKind::lease;
  if (!is_wait || !request.has_reply || request.asked.empty()) return;
  ++(is_met ? totals.objectives_met : totals.objectives_missed);
}

void Engine::Impl::reply_granted(const Request& request, LeaseId lease, Instant until) {
  action::Reply reply{.request = request.id, .is_granted = true};
  reply.lease = lease;
  reply.lease_until = until;
  reply.command = request.command;
  reply.wait = now - request.arrived;
  reply.components.reserve(request.closure.size());
  for (const ComponentId id : request.closure) {
    reply.components.push_back(
        {.component = id,
         .is_cold = std::ranges::find(request.cold, id) != request.cold.end(),
         .is_ready = true,
         .is_asked = std::ranges::find(request.asked, id) != request.asked.end()});
  }
  Decision& decision = record(DecisionKind::granted, request.reason);
  decision.request = request.id;
  decision.command = request.command;
  decision.lease = lease;
  decision.figure = milliseconds(reply.wait);
  decision.has_component = !request.asked.empty();
  if (decision.has_component) decision.component = request.asked.front();
  emit(std::move(reply));
}

void Engine::Impl::refuse(const Request& request, Errc code, Reason reason, ComponentId id,
                          ComponentId other) {
  if (!request.has_reply) return;
  ++totals.refusals;
  Decision& decision = record(DecisionKind::refused, reason);
  decision.request = request.id;
  decision.command = request.command;
  decision.component = id;
  decision.other = other;
  decision.has_component = is_known(id) && reason != Reason::shutting_down;
  decision.has_other = decision.has_component && other != id;
  decision.bytes = decision.has_component ? bound(id) : Bytes{};
  decision.other_bytes = ledger.budget(ResourceId{});
  action::Reply reply{.request = request.id, .code = code, .reason = reason};
  reply.component = id;
  reply.other = other;
  reply.command = request.command;
  reply.wait = now - request.arrived;
  for (const ComponentId member : request.closure) {
    const bool is_ready = at(member).state == State::ready;
    reply.components.push_back(
        {member, std::ranges::find(request.cold, member) != request.cold.end(), is_ready,
         std::ranges::find(request.asked, member) != request.asked.end()});
  }
  emit(std::move(reply));
}

void Engine::Impl::refuse_plainly(RequestId id, Errc code, Reason reason, CommandId command) {
  ++totals.refusals;
  action::Reply reply{.request = id, .code = code, .reason = reason};
  reply.command = command;
  emit(std::move(reply));
}

void Engine::Impl::enqueue(Request request) {
  request.sequence = next_sequence++;
  const RequestId id = request.id;
  queue.emplace(static_cast<Priority>(3 - static_cast<int>(request.priority)), request.sequence,
                id);
  arm(TimerKind::request, id.value, request.deadline);
  // Nothing has changed for those that wait already, and this one fares as the first of them.
  const bool is_news = is_dirty || !joins_a_waiting_one(request);
  want(request, true);
  requests.emplace(id, std::move(request));
  is_dirty = is_dirty || is_news;
}

bool Engine::Impl::joins_a_waiting_one(Request& request) {
  if (request.asked.size() != 1) return false;
  const auto before = hindered.find(request.asked.front());
  if (before == hindered.end()) return false;
  const auto first = requests.find(before->second);
  if (first == requests.end() || !stands_behind(request, first->second)) return false;
  const Request& same = first->second;
  hinder(request, same.hindrance, same.hindered, same.rival);
  return true;
}

Request Engine::Impl::dequeue(RequestId id) {
  const auto found = requests.find(id);
  HEARTH_ASSERT(found != requests.end());
  Request request = std::move(found->second);
  requests.erase(found);
  if (request.kind == WantKind::unload && unload_requests > 0) --unload_requests;
  queue.erase(
      {static_cast<Priority>(3 - static_cast<int>(request.priority)), request.sequence, id});
  disarm(TimerKind::request, id.value, request.deadline);
  want(request, false);
  if (request.kind == WantKind::keep) {
    for (const ComponentId asked : request.asked) {
      at(asked).is_kept = false;
      note_keep(asked);
    }
  }
  is_dirty = true;
  return request;
}

void Engine::Impl::want(const Request& request, bool is_more) {
  if (request.kind == WantKind::unload) return;
  for (const ComponentId id : request.closure) {
    Component& c = at(id);
    HEARTH_ASSERT(is_more || c.wanted > 0);
    c.wanted += is_more ? 1U : 0U;
    c.wanted -= is_more ? 0U : 1U;
    if (has_claim(request)) c.claimed += is_more ? 1U : -1U;
    refresh_idle(id);
  }
}

// What would only come, or come back, by itself keeps nobody else from the memory that it waits
// with.
bool Engine::Impl::has_claim(const Request& request) {
  if (request.kind == WantKind::preload || request.kind == WantKind::unload) return false;
  return request.kind != WantKind::keep || request.reason == Reason::core ||
         request.reason == Reason::pin;
}

void Engine::Impl::request_timed_out(Request& request) {
  const Request gone = request;
  if (gone.kind == WantKind::keep) {
    for (const ComponentId id : gone.asked) at(id).restarts = false;
  }
  dequeue(gone.id);
  if (gone.kind == WantKind::unload) {
    return refuse(gone, Errc::timed_out, Reason::timed_out, gone.asked.front(), gone.asked.front());
  }
  count_objective(gone, false);
  const ComponentId id = gone.hindrance == Reason::none ? gone.asked.front() : gone.hindered;
  const ComponentId other = gone.hindrance == Reason::none ? id : gone.rival;
  switch (gone.hindrance) {
    case Reason::conflict:
    case Reason::outranked:
      return refuse(gone, Errc::conflict, gone.hindrance, id, other);
    case Reason::memory:
    case Reason::machine:
    case Reason::pool:
    case Reason::device:
      return refuse(gone, Errc::over_budget, gone.hindrance, id, other);
    case Reason::pressure:
      return refuse(gone, Errc::unavailable, Reason::pressure, id, other);
    default:
      return refuse(gone, Errc::timed_out, Reason::timed_out, id, other);
  }
}

// `id` has failed as often as it may: whoever waits for it is told.
void Engine::Impl::fail_waiting_on(ComponentId id) {
  std::vector<RequestId> failed;
  for (const auto& [request_id, request] : requests) {
    if (request.kind != WantKind::unload &&
        std::ranges::find(request.closure, id) != request.closure.end()) {
      failed.push_back(request_id);
    }
  }
  for (const RequestId request_id : failed) {
    const Request request = dequeue(request_id);
    refuse(request, Errc::failed, Reason::load_failed, id, who_needs(request.asked, id));
  }
}

// The first of `asked` that needs `id`; itself when none does but itself.
ComponentId Engine::Impl::who_needs(const std::vector<ComponentId>& asked, ComponentId id) const {
  if (std::ranges::find(asked, id) != asked.end()) return id;
  for (const ComponentId one : asked) {
    if (std::ranges::find(at(one).closure, id) != at(one).closure.end()) return one;
  }
  return id;
}

// Keeping it as core or pinned is judged anew: neither may be true any more.
void Engine::Impl::drop_lasting_keeps(std::optional<ComponentId> only) {
  std::vector<RequestId> dropped;
  for (const auto& [id, request] : requests) {
    const bool is_meant = !only || request.asked.front() == *only;
    if (request.kind == WantKind::keep && has_claim(request) && is_meant) dropped.push_back(id);
  }
  for (const RequestId id : dropped) dequeue(id);
}

void Engine::Impl::keep(ComponentId id, Reason reason) {
  // What only came or comes back once gives up after a while, so that it does not hold its needs.
  constexpr Duration keep_patience = 60s;
  const bool is_lasting =
      reason == Reason::core || reason == Reason::pin || reason == Reason::default_back;
  Request request{.id = RequestId{internal_bit | next_internal++},
                  .kind = WantKind::keep,
                  .reason = reason,
                  .priority = reason == Reason::core ? Priority::core : Priority::low,
                  .asked = {id},
                  .closure = at(id).closure,
                  .owner = {},
                  .has_reply = false,
                  .arrived = now,
                  .deadline = is_lasting ? Instant::never() : now + keep_patience};
  at(id).is_kept = true;
  enqueue(std::move(request));
}

// Loads that nobody asked for are few: a component that comes and goes by itself, three times in
// ten minutes, has to wait for the end of these.
Instant Engine::Impl::rests_until(ComponentId id) const {
  const Component& c = at(id);
  return c.undemanded.size() < 3 ? Instant{} : c.undemanded.front() + 10min;
}

// A likely component is loaded only into memory that is free, and never in another's way.
void Engine::Impl::preload(ComponentId id, CommandId command) {
  if (is_shutting_down || pressure >= Pressure::high || saves_power) return;
  if (at(id).state == State::ready) return;
  if (is_present(id) || at(id).wanted > 0) return;
  for (const ComponentId member : at(id).closure) {
    if (!is_present(member) && rests_until(member) > now) return;
  }
  Request request{.id = RequestId{internal_bit | next_internal++},
                  .kind = WantKind::preload,
                  .reason = Reason::preload,
                  .priority = Priority::low,
                  .asked = {id},
                  .closure = at(id).closure,
                  .command = command,
                  .owner = {},
                  .has_reply = false,
                  .arrived = now,
                  .deadline = now + configuration.settings.load_timeout};
  enqueue(std::move(request));
}

// It was given to somebody: what the eviction policy counts.
void Engine::Impl::touch(ComponentId id) {
  Component& c = at(id);
  ++c.grants;
  c.last_used = now;
  clear_preload(id);
  if (policy->on_use != nullptr) policy->on_use(policy_state, c.policy, candidate(id), now);
  drop_idle(id);
  refresh_idle(id);
}

// Evidence from outside that it was needed.
void Engine::Impl::count_use(ComponentId id, bool is_warm) {
  ++at(id).uses;
  ++totals.uses;
  if (!is_warm) return;
  ++at(id).warm_uses;
  ++totals.warm_uses;
}

void Engine::Impl::clear_preload(ComponentId id) {
  for (const ComponentId member : at(id).closure) at(member).is_preload = false;
}

}  // namespace hearth

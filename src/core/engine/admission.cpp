#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

// Until nothing changes any more. Each round grants, admits or starts something that the next
// cannot undo, so the rounds are bounded by requests and components; the limit is a net.
void Engine::Impl::settle() {
  for (std::size_t round = 0; is_dirty && round < 64; ++round) {
    is_dirty = false;
    if (is_shutting_down) {
      settle_shutdown();
      continue;
    }
    settle_keeps();
    settle_drains();
    if (grant_ready()) is_dirty = true;
    if (admit_waiting()) is_dirty = true;
    start_loads();
  }
  is_dirty = false;
  if (!is_shutting_down) relieve_budget();
}

bool Engine::Impl::grant_ready() {
  bool has_granted = false;
  if (queue.empty()) return false;
  waiters.clear();
  for (const auto& [priority, sequence, id] : queue) waiters.push_back(id);
  for (const RequestId id : waiters) {
    Request& request = requests.at(id);
    if (request.kind == WantKind::unload) continue;
    if (!is_all_ready(request.closure) || leases.size() >= leases_max) continue;
    // Granted while it still waits: what it asked for goes from being claimed to being leased, and
    // is not idle in between.
    if (request.kind != WantKind::keep && request.kind != WantKind::preload) grant(request);
    dequeue(id);
    has_granted = true;
  }
  return has_granted;
}

// Core, pinned, eager, restarting and displaced default components are wanted by the engine itself.
void Engine::Impl::settle_keeps() {
  if (kept_dirty.empty()) return;
  const std::set<ComponentId> looked_at = std::exchange(kept_dirty, {});
  for (const ComponentId id : looked_at) {
    Component& c = at(id);
    if (c.is_kept || c.is_removed || c.is_stopped || c.next_spec || c.state == State::ready)
      continue;
    if (c.state == State::failed && c.retry_at > now) continue;
    const bool is_lasting = c.spec.priority == Priority::core || c.is_pinned;
    const bool is_eager = !c.spec.is_lazy && !c.is_eager_done;
    if (!is_lasting && !is_eager && !c.restarts && !c.is_displaced) continue;
    if (is_eager && !is_lasting && !c.restarts && is_core_coming()) {
      kept_dirty.insert(id);
      continue;
    }
    // What has to be there always is tried again after a rest that grows; what only comes by itself
    // is loaded three times in ten minutes at most.
    const Instant again = is_lasting ? Instant{} : rests_for_load(c.closure);
    if (again > now) {
      arm(TimerKind::retry, id.value, again);
      continue;
    }
    if (c.is_displaced && !is_lasting && !is_eager && !c.restarts) {
      if (c.displacer && is_engaged(*c.displacer) && !at(*c.displacer).is_in_idle) continue;
      keep(id, Reason::default_back);
      continue;
    }
    c.is_eager_done = true;
    keep(id, c.spec.priority == Priority::core ? Reason::core
             : c.is_pinned                     ? Reason::pin
             : c.restarts                      ? Reason::restart
                                               : Reason::eager);
  }
}

// What is leaving will have to be loaded again, too.
Instant Engine::Impl::rests_for_load(const std::vector<ComponentId>& members) const {
  Instant again{};
  for (const ComponentId id : members) {
    const bool is_there = at(id).state == State::ready || at(id).state == State::loading;
    if (!is_there) again = std::max(again, rests_until(id));
  }
  return again;
}

// What is to be there from the start comes after what has to be there always; a core component that
// has failed is not waited for.
bool Engine::Impl::is_core_coming() const {
  return std::ranges::any_of(components, [](const Component& c) {
    return c.spec.priority == Priority::core && !c.is_removed && !c.is_stopped && !c.next_spec &&
           c.state != State::ready && c.state != State::failed;
  });
}

// In order of priority, then arrival. What is on its way to a request that waits for memory, a
// later one may not take.
bool Engine::Impl::admit_waiting() {
  bool has_changed = false;
  hindered.clear();
  if (queue.empty()) return false;
  waiters.clear();
  for (const auto& [priority, sequence, id] : queue) waiters.push_back(id);
  promised.clear();
  for (const RequestId id : waiters) {
    const auto found = requests.find(id);
    if (found == requests.end() || found->second.kind == WantKind::unload) continue;
    Request& request = found->second;
    const bool needs_memory = !std::ranges::all_of(
        request.closure, [this](ComponentId member) { return is_present(member); });
    if (!needs_memory) {
      request.hindrance = Reason::none;
      continue;
    }
    if (request.kind == WantKind::preload && !promised.empty()) {
      hinder(request, Reason::memory, request.asked.front(), request.asked.front());
      continue;
    }
    // Whoever wants the same as one before fares the same: many wait for what is popular.
    if (joins_a_waiting_one(request)) continue;
    if (try_admit(request)) {
      has_changed = true;
    } else if (request.kind == WantKind::preload) {
      dequeue(id);
      has_changed = true;
    }
    const auto still = requests.find(id);
    const bool waits = still != requests.end() && still->second.hindrance != Reason::none;
    if (waits && still->second.asked.size() == 1) hindered.emplace(still->second.asked[0], id);
  }
  return has_changed;
}

// Wants the same as one before it, with no more right to it.
bool Engine::Impl::stands_behind(const Request& request, const Request& before) {
  return request.kind == before.kind && request.asked == before.asked &&
         request.reason == before.reason && request.priority == before.priority &&
         request.is_preemptible == before.is_preemptible && before.hindrance != Reason::none;
}

bool Engine::Impl::try_admit(Request& request) {
  std::vector<ComponentId> missing;
  for (const ComponentId id : request.closure) {
    if (!is_present(id)) missing.push_back(id);
  }
  if (!check_members(request, missing) || !clear_conflicts(request, missing) ||
      !make_room(request, missing)) {
    return false;
  }
  for (const ComponentId id : missing) {
    engage(id, missing_for(id), false);
    const bool is_by_itself = request.kind == WantKind::preload || request.kind == WantKind::keep;
    const bool is_asked = std::ranges::find(request.asked, id) != request.asked.end();
    at(id).load_reason = is_by_itself || is_asked ? request.reason : Reason::need;
    // A guess that brings it back has not loaded it.
    at(id).is_preload = request.kind == WantKind::preload && !at(id).is_waking;
  }
  request.hindrance = Reason::none;
  return true;
}

// Nothing may be admitted while a member rests after a failure, changes, or pressure forbids it.
bool Engine::Impl::check_members(Request& request, const std::vector<ComponentId>& missing) {
  for (const ComponentId id : request.closure) {
    const Component& c = at(id);
    if (c.is_removed || c.next_spec || c.state == State::draining || leaving.contains(id)) {
      hinder(request, Reason::restart, id, id);
      return false;
    }
  }
  for (const ComponentId id : missing) {
    if (at(id).retry_at > now) {
      hinder(request, Reason::load_failed, id, id);
      return false;
    }
  }
  if (!check_rest(request, missing)) return false;
  if (pressure >= Pressure::critical) {
    hinder(request, Reason::pressure, missing.front(), missing.front());
    return false;
  }
  return true;
}

// What nobody asked for is loaded three times in ten minutes at most.
bool Engine::Impl::check_rest(Request& request, const std::vector<ComponentId>& missing) {
  if (request.kind != WantKind::keep && request.kind != WantKind::preload) return true;
  if (has_claim(request)) return true;
  for (const ComponentId id : missing) {
    const Instant again = rests_until(id);
    if (again <= now) continue;
    arm(TimerKind::retry, id.value, again);
    hinder(request, Reason::restart, id, id);
    // What stands on it would keep its room, and its rivals out, for as long.
    for (const ComponentId member : request.closure) {
      if (admitted.contains(member) && at(member).wanted == 1) withdraw(member);
    }
    return false;
  }
  return true;
}

void Engine::Impl::hinder(Request& request, Reason reason, ComponentId id, ComponentId other) {
  const bool is_new = request.hindrance != reason || request.hindered != id;
  request.hindrance = reason;
  request.hindered = id;
  request.rival = other;
  if (!is_new || request.kind == WantKind::preload) return;
  record_component(DecisionKind::waiting, reason, id);
  Decision& decision = decisions.back();
  decision.request = request.id;
  decision.command = request.command;
  decision.other = other;
  decision.has_other = other != id;
  decision.bytes = bound(id);
  decision.other_bytes = less(ledger.budget(ResourceId{}), ledger.used(ResourceId{}));
}

// `rival` and all that depend on it are idle and of no higher priority: they can go, dependents
// first.
bool Engine::Impl::can_displace(ComponentId rival, Priority priority,
                                std::vector<ComponentId>& victims) const {
  const Component& c = at(rival);
  if (std::ranges::find(victims, rival) != victims.end()) return true;
  const bool is_there = c.state == State::ready || c.state == State::hibernated;
  if (!is_there || c.leases > 0 || c.fast_pending > 0 || is_claimed(rival) || c.is_pinned ||
      c.spec.priority == Priority::core || c.spec.priority > priority) {
    return false;
  }
  for (const ComponentId dependent : c.dependents) {
    if (is_engaged(dependent) && !can_displace(dependent, priority, victims)) return false;
  }
  victims.push_back(rival);
  return true;
}

// Every rival is going or may go: no turn is ended for a request that another one hinders.
bool Engine::Impl::can_rivals_go(const Request& request,
                                 const std::vector<ComponentId>& missing) const {
  for (const ComponentId id : missing) {
    for (const ComponentId rival : at(id).conflicts) {
      if (!is_engaged(rival) || leaving.contains(rival) || at(rival).state == State::draining) {
        continue;
      }
      std::vector<ComponentId> victims;
      if (!turn_of(rival, request) && !can_displace(rival, at(id).spec.priority, victims)) {
        return false;
      }
    }
  }
  return true;
}

// A rival that is there is told to go when it may; until it is gone the request waits.
bool Engine::Impl::clear_conflicts(Request& request, const std::vector<ComponentId>& missing) {
  bool is_clear = true;
  const bool may_clear = !answering.empty() && can_rivals_go(request, missing);
  for (const ComponentId id : missing) {
    for (const ComponentId rival : at(id).conflicts) {
      // A new configuration can make rivals of what one request waits for.
      if (std::ranges::find(request.closure, rival) != request.closure.end()) {
        hinder(request, Reason::conflict, id, rival);
        return false;
      }
      if (!is_engaged(rival)) continue;
      is_clear = false;
      if (leaving.contains(rival) || at(rival).state == State::draining) {
        hinder(request, Reason::conflict, id, rival);
        continue;
      }
      std::vector<ComponentId> victims;
      // Two defaults that are rivals would come back in turns.
      const bool is_in_turns = request.reason == Reason::default_back && at(rival).spec.is_default;
      const bool may_displace = request.kind != WantKind::preload && !is_in_turns;
      if (may_displace && can_displace(rival, at(id).spec.priority, victims)) {
        for (const ComponentId victim : victims) {
          at(victim).displacer = id;
          drain(victim, Reason::conflict, id);
        }
        is_dirty = true;
      } else if (may_displace && at(rival).spec.priority <= at(id).spec.priority) {
        revoke_preemptible(rival);
        if (may_clear && take_turn_of(rival, request, id)) is_dirty = true;
      }
      const bool is_outranked =
          at(rival).is_in_idle && at(rival).spec.priority > at(id).spec.priority;
      hinder(request, is_outranked ? Reason::outranked : Reason::conflict, id, rival);
    }
  }
  return is_clear;
}

// Owners of preemptible leases on it, and on what depends on it, are told; the leases end after the
// grace. Nothing is done when other leases would hold it all the same.
void Engine::Impl::revoke_preemptible(ComponentId id) {
  if (at(id).leases == 0 && at(id).engaged_dependents == 0) return;
  if (at(id).leases > at(id).preemptible_leases) return;
  revoke_leases_on(id);
  for (const ComponentId dependent : at(id).dependents) {
    if (is_engaged(dependent)) revoke_preemptible(dependent);
  }
}

void Engine::Impl::revoke_leases_on(ComponentId id) {
  if (at(id).preemptible_leases == 0) return;
  for (auto& [lease_id, lease] : leases) {
    if (!lease.is_preemptible || lease.is_revoked ||
        std::ranges::find(lease.components, id) == lease.components.end()) {
      continue;
    }
    lease.is_revoked = true;
    const Instant end = now + configuration.settings.preempt_grace;
    if (end < lease.until) {
      disarm(TimerKind::lease, lease_id.value, lease.until);
      lease.until = end;
      arm(TimerKind::lease, lease_id.value, lease.until);
    }
    Decision& decision = record(DecisionKind::waiting, Reason::revoked);
    decision.lease = lease_id;
    decision.component = id;
    decision.has_component = true;
  }
}

// Preemptible leases alone hold it, and all that needs it, and it is worth no more.
bool Engine::Impl::can_revoke(ComponentId id, Priority priority) const {
  const Component& c = at(id);
  if (!is_up_or_asleep(id) || c.is_pinned || is_claimed(id) || c.fast_pending > 0 ||
      c.spec.priority == Priority::core || c.spec.priority > priority ||
      c.leases > c.preemptible_leases) {
    return false;
  }
  return std::ranges::all_of(c.dependents, [&](ComponentId dependent) {
    return !is_engaged(dependent) || leaving.contains(dependent) || can_revoke(dependent, priority);
  });
}

// The preemptible leases that stand in the way of these demands, lowest priority first, once what
// is leaving and all that is idle are gone; none when even all of them would not do.
void Engine::Impl::revoke_for(const Request& request, const Claim& claim) {
  if (preemptible_leases == 0) return;
  std::vector<Ledger::Demand> gone = leaving_demands();
  for (const ComponentId id : idle_for(claim, request.closure)) {
    gone.push_back(ledger.demand_of(id));
  }
  std::set<std::tuple<bool, Priority, ComponentId>> held;  // first what is revoked already
  for (const auto& [lease_id, lease] : leases) {
    for (const ComponentId id : lease.components) {
      const bool is_spared = std::ranges::find(request.closure, id) != request.closure.end();
      if (lease.is_preemptible && !is_spared && can_revoke(id, request.priority)) {
        held.emplace(!lease.is_revoked, at(id).spec.priority, id);
      }
    }
  }
  std::vector<ComponentId> chosen;
  auto short_of = ledger.shortfall(claim.wanted, gone);
  for (const auto& [is_fresh, priority, id] : held) {
    if (!short_of) break;
    const bool is_new = std::ranges::find(chosen, id) == chosen.end();
    if (!is_new || Ledger::share(ledger.demand_of(id), *short_of) == Bytes{}) continue;
    if (short_of->is_of_ram() && is_protected(id, claim, gone)) continue;
    chosen.push_back(id);
    gone.push_back(ledger.demand_of(id));
    short_of = ledger.shortfall(claim.wanted, gone);
  }
  if (short_of) return;
  for (const ComponentId id : chosen) revoke_preemptible(id);
}

// What is on its way out: leaving, or draining with nothing that holds it but what leaves as well.
IdSet<ComponentId> Engine::Impl::leaving_now() const {
  IdSet<ComponentId> going = leaving;
  for (bool has_more = !draining.empty(); has_more;) {
    has_more = false;
    for (const ComponentId id : draining) {
      const Component& c = at(id);
      const bool is_held = c.leases > 0 || c.fast_pending > 0 ||
                           std::ranges::any_of(c.dependents, [&](ComponentId dependent) {
                             return is_engaged(dependent) && !going.contains(dependent);
                           });
      if (!is_held) has_more = going.insert(id) || has_more;
    }
  }
  return going;
}

std::vector<Ledger::Demand> Engine::Impl::demands_of(const IdSet<ComponentId>& going) const {
  std::vector<Ledger::Demand> demands;
  for (const ComponentId id : going) {
    const bool is_to_sleep = at(id).goes_to_sleep || at(id).state == State::hibernating;
    demands.push_back(freed_by(id, is_to_sleep ? Tier::hibernated : Tier::unloaded));
  }
  return demands;
}

// Of these and of what room is promised to.
std::vector<Ledger::Demand> Engine::Impl::with_promised(
    const std::vector<ComponentId>& missing) const {
  IdSet<ComponentId> all = promised;
  for (const ComponentId id : missing) all.insert(id);
  std::vector<Ledger::Demand> demands;
  for (const ComponentId id : all) {
    if (!is_present(id)) demands.push_back(missing_for(id));
  }
  return demands;
}

bool Engine::Impl::make_room(Request& request, const std::vector<ComponentId>& missing) {
  std::vector<Ledger::Demand> demands;
  for (const ComponentId id : missing) demands.push_back(missing_for(id));
  const auto short_of = ledger.shortfall(demands);
  if (!promised.empty()) demands = with_promised(missing);
  if (!short_of && (promised.empty() || !ledger.shortfall(demands, demands_of(coming())))) {
    return true;
  }
  ComponentId largest = missing.front();
  for (const ComponentId id : missing) {
    if (bound(id) > bound(largest)) largest = id;
  }
  const Claim claim = claim_of(request, missing, demands);
  Reason reason = !short_of                       ? Reason::memory
                  : short_of->pool.value != 0     ? Reason::pool
                  : short_of->resource.value != 0 ? Reason::device
                  : short_of->is_withheld         ? Reason::machine
                                                  : Reason::memory;
  if (request.kind == WantKind::preload) return false;
  const bool is_default_back = request.reason == Reason::default_back;
  auto victims = is_default_back ? std::nullopt : victims_for(claim, request.closure);
  if (is_default_back) {
    // It takes back what was taken from it, and nothing else.
    const auto displacer = at(request.asked.front()).displacer;
    if (displacer && at(*displacer).is_in_idle &&
        !is_protected(*displacer, claim, leaving_demands())) {
      std::vector<Ledger::Demand> gone = leaving_demands();
      gone.push_back(ledger.demand_of(*displacer));
      if (!ledger.shortfall(demands, gone)) victims = std::vector{*displacer};
    }
  }
  bool is_coming = victims.has_value();
  if (victims) {
    for (const ComponentId victim : *victims) at(victim).displacer = largest;
    make_leave(claim, *victims, Reason::memory, largest);
    is_dirty = is_dirty || !victims->empty();
  } else if (!is_default_back && !request.is_preemptible) {
    revoke_for(request, claim);
    is_coming = take_turn(request, claim, largest);
    // What others have is not for it: room has to come in its own pool, or by itself.
    if (reason == Reason::memory && is_borrowing(claim, leaving_demands())) reason = Reason::pool;
  }
  if (is_coming && !is_default_back) {
    for (const ComponentId id : missing) promised.insert(id);
  }
  hinder(request, victims ? Reason::memory : reason, largest, largest);
  return false;
}

// The fewest of the lowest rank that make room once they and what is leaving are gone, dependents
// first, and what was borrowed before all else; none when even all would not do. An empty list:
// what is leaving is enough.
std::optional<std::vector<ComponentId>> Engine::Impl::victims_for(
    const Claim& claim, const std::vector<ComponentId>& spared) {
  rekey_idle();
  std::vector<Ledger::Demand> gone = leaving_demands();
  std::vector<ComponentId> victims;
  auto short_of = ledger.shortfall(claim.wanted, gone);
  const auto is_victim = [&](ComponentId id) {
    return std::ranges::find(victims, id) != victims.end();
  };
  // A component that only victims depend on is idle as soon as they are gone.
  const auto is_exposed = [&](ComponentId id) {
    const Component& c = at(id);
    const bool is_held = c.state != State::ready || c.leases > 0 || c.fast_pending > 0 ||
                         c.claimed > 0 || c.is_pinned || c.spec.priority == Priority::core;
    return !is_held && std::ranges::all_of(c.dependents, [&](ComponentId dependent) {
      return !is_engaged(dependent) || is_victim(dependent);
    });
  };
  while (short_of) {
    // First what gives memory where it is short, then what holds something by needing it.
    std::optional<ComponentId> chosen;
    for (const bool gives : {true, false}) {
      for (const bool is_back : {true, false}) {
        // Of devices and hard pools nothing is borrowed.
        if (is_back && !short_of->is_of_ram()) continue;
        const auto try_choose = [&](ComponentId id) {
          if (chosen || is_victim(id) || std::ranges::find(spared, id) != spared.end()) return;
          const bool is_help = gives ? Ledger::share(ledger.demand_of(id), *short_of) > Bytes{}
                                     : !at(id).needs.empty();
          if (!is_help || (is_back && !is_borrowed(id, claim, gone))) return;
          if (short_of->is_of_ram() && is_protected(id, claim, gone)) return;
          chosen = id;
        };
        for (const auto& [priority, key, id] : idle) try_choose(id);
        for (std::size_t i = 0; i < victims.size() && !chosen; ++i) {
          for (const ComponentId need : at(victims[i]).needs) {
            if (is_exposed(need)) try_choose(need);
          }
        }
      }
    }
    if (!chosen) return std::nullopt;
    victims.push_back(*chosen);
    gone.push_back(ledger.demand_of(*chosen));
    short_of = ledger.shortfall(claim.wanted, gone);
  }
  spare_needless(claim, victims);
  return victims;
}

// A large victim chosen late may make room for all by itself: whoever is not needed beside it
// stays, the most worthy first. What holds another victim by needing it goes with it.
void Engine::Impl::spare_needless(const Claim& claim, std::vector<ComponentId>& victims) const {
  const std::vector<Ledger::Demand> leaving_now = leaving_demands();
  for (std::size_t i = victims.size(); i-- > 0 && victims.size() > 1;) {
    const ComponentId spared = victims[i];
    const auto& needs = at(spared).closure;
    const bool holds_another = std::ranges::any_of(victims, [&](ComponentId victim) {
      return victim != spared && std::ranges::find(needs, victim) != needs.end();
    });
    if (holds_another) continue;
    std::vector<Ledger::Demand> gone = leaving_now;
    for (const ComponentId victim : victims) {
      if (victim != spared) gone.push_back(ledger.demand_of(victim));
    }
    if (ledger.shortfall(claim.wanted, gone)) continue;
    std::vector<Leaver> all;
    for (const ComponentId victim : victims) all.push_back({.id = victim});
    std::vector<Leaver> fewer = all;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (protects_more(fewer, all, claim)) continue;
    victims.erase(victims.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

Ledger::Demand Engine::Impl::demand_for(ComponentId id) const {
  const Component& c = at(id);
  Ledger::Demand demand{.ram = bound(id), .pool = {}, .others = {}};
  for (const auto& [name, pool] : pool_ids) {
    if (name == c.spec.pool) demand.pool = pool;
  }
  if (demand.pool.value != 0 && ledger.is_hard(demand.pool)) {
    const Bytes limit = ledger.pool_budget(demand.pool);
    const Bytes peak = c.peaks.highest();
    if (peak <= limit) demand.ram = std::min(demand.ram, std::max(limit, peak));
  }
  const auto& resources = configuration.settings.resources;
  for (const ResourceNeed& need : c.spec.devices) {
    for (std::size_t r = 0; r < resources.size(); ++r) {
      if (resources[r].name != need.resource) continue;
      demand.others.emplace_back(ResourceId{static_cast<std::uint16_t>(r + 1)},
                                 device_bound(id, need, resources[r].bytes));
    }
  }
  return demand;
}

}  // namespace hearth

// Turns: components that are asked for all the time and do not fit together take turns, so that
// none of them keeps the others out, and none comes and goes with every request.
//
// A component that is held by answers alone (leases that end with one) gives way once it has been
// there for twice as long as the exchange costs: at least two thirds of the time go to answers.
// Then nobody else may take it, the answers under way are given, and it goes. Who has been there
// longest goes first. What all of its users hold by needing it goes with them, when its room is
// what is short. Preemptible leases on it are revoked; another lease that an application took for
// itself is not touched.
//
// Room on its way to a request is kept for it, and no other turn is ended meanwhile: exchanges side
// by side would make all turns as short as they may be.
// Answers can last: after twice the exchange (a second at least) the room is not counted on any
// more, so that others may end another turn or have what is free; after ten times the exchange
// (half a minute at least) the turn is given back. It begins anew then, and is not ended again
// before as much time has passed as was waited for it in vain.
#include <algorithm>

#include "core/engine/state.h"

namespace hearth {
namespace {

Duration counted_on_for(Duration exchange) { return std::max<Duration>(1s, 2 * exchange); }
Duration waited_for(Duration exchange) { return std::max<Duration>(30s, 10 * exchange); }

}  // namespace

Duration Engine::Impl::exchange_cost(ComponentId id, const Request& request) const {
  // Of one that was never loaded nothing is known: it does not lengthen the turn of another.
  Duration load = at(id).load_time;
  for (const ComponentId asked : request.asked) load = std::max(load, at(asked).load_time);
  return load;
}

bool Engine::Impl::may_give_way(ComponentId id, const Request& request) const {
  const Component& c = at(id);
  return is_up_or_asleep(id) && c.leases == c.answer_leases + c.preemptible_leases &&
         !is_claimed(id) && !c.is_pinned && c.spec.priority != Priority::core &&
         c.spec.priority <= request.priority &&
         std::ranges::find(request.closure, id) == request.closure.end();
}

// Its turn was ended, and its answers have not taken too long yet.
bool Engine::Impl::is_on_its_way(ComponentId id) const {
  const Component& c = at(id);
  return c.state == State::draining && c.unload_reason == Reason::turn &&
         now < c.turn_ended + counted_on_for(c.exchange);
}

// The turn that has to end for `id` to go: its own, and of all that stands on it.
std::optional<Engine::Impl::Turn> Engine::Impl::turn_of(ComponentId id,
                                                        const Request& request) const {
  Turn turn{.members = with_engaged_dependents(id)};
  for (const ComponentId member : turn.members) {
    if (leaving.contains(member) || is_on_its_way(member)) continue;
    if (!may_give_way(member, request)) return std::nullopt;
    const Component& c = at(member);
    if (c.leases == 0) continue;
    turn.began = std::max(turn.began, c.turn_began);
    turn.end = std::max(turn.end, c.turn_began + 2 * exchange_cost(member, request));
  }
  return turn;
}

void Engine::Impl::end_turn(const Turn& turn, const Request& request, ComponentId because) {
  Duration exchange{0};
  for (const ComponentId member : turn.members) {
    exchange = std::max(exchange, exchange_cost(member, request));
  }
  for (const ComponentId member : turn.members) {
    Component& c = at(member);
    if (c.state != State::ready) continue;
    c.displacer = because;
    c.turn_ended = now;
    c.exchange = exchange;
    ++totals.evictions;
    revoke_leases_on(member);
  }
  arm(TimerKind::turn, 0, now + counted_on_for(exchange));
  arm(TimerKind::turn, 0, now + waited_for(exchange));
  drain(turn.members.front(), Reason::turn, because);
}

// What leaves, and what will soon because its turn is over.
IdSet<ComponentId> Engine::Impl::coming() const {
  IdSet<ComponentId> going = leaving_now();
  for (const ComponentId id : draining) {
    if (is_on_its_way(id)) going.insert(id);
  }
  return going;
}

// For a request that finds no room though all that is idle would go: whether turns that are over,
// or that end now, will make it.
bool Engine::Impl::take_turn(const Request& request, const Claim& claim, ComponentId because) {
  if (request.kind == WantKind::keep || request.kind == WantKind::preload) return false;
  if (answering.empty() || !promised.empty()) return false;
  IdSet<ComponentId> going = coming();
  for (const ComponentId id : idle_for(claim, request.closure)) going.insert(id);
  auto short_of = ledger.shortfall(claim.wanted, demands_of(going));
  if (!short_of) return true;
  std::vector<Turn> turns = turns_to_end(request, going);
  Instant next = Instant::never();
  const auto is_any_kept = [&](const std::vector<ComponentId>& members) {
    const std::vector<Ledger::Demand> gone = demands_of(going);
    return std::ranges::any_of(members, [&](ComponentId id) {
      return !going.contains(id) && is_protected(id, claim, gone);
    });
  };
  const auto helps = [&](const Turn& turn) {
    const bool gives = std::ranges::any_of(turn.members, [&](ComponentId id) {
      return !going.contains(id) && Ledger::share(ledger.demand_of(id), *short_of) > Bytes{};
    });
    const bool is_kept = short_of->is_of_ram() && is_any_kept(turn.members);
    if (is_kept) return false;
    if (gives && turn.end > now) next = std::min(next, turn.end);
    return gives && turn.end <= now;
  };
  std::vector<Turn> chosen;
  while (short_of) {
    const auto found = std::ranges::find_if(turns, helps);
    if (found == turns.end()) break;
    for (const ComponentId id : found->members) going.insert(id);
    chosen.push_back(std::move(*found));
    turns.erase(found);
    short_of = ledger.shortfall(claim.wanted, demands_of(going));
  }
  if (short_of) {
    arm(TimerKind::turn, 0, next);
    return false;
  }
  for (const Turn& turn : chosen) end_turn(turn, request, because);
  return true;
}

// Of all that is held by answers, and of what that needs: the longest there first, and of those the
// one that takes the fewest along.
std::vector<Engine::Impl::Turn> Engine::Impl::turns_to_end(const Request& request,
                                                           const IdSet<ComponentId>& going) const {
  IdSet<ComponentId> held;
  for (const ComponentId id : answering) {
    for (const ComponentId member : at(id).closure) held.insert(member);
  }
  std::vector<Turn> turns;
  for (const ComponentId id : held) {
    if (going.contains(id) || !is_engaged(id)) continue;
    if (auto turn = turn_of(id, request)) turns.push_back(std::move(*turn));
  }
  std::ranges::sort(turns, {}, [](const Turn& turn) {
    return std::tuple{turn.began, turn.members.size(), turn.members.front()};
  });
  return turns;
}

bool Engine::Impl::take_turn_of(ComponentId rival, const Request& request, ComponentId because) {
  if (request.kind == WantKind::keep || request.kind == WantKind::preload) return false;
  const auto turn = turn_of(rival, request);
  if (!turn) return false;
  if (turn->end > now) {
    arm(TimerKind::turn, 0, turn->end);
    return false;
  }
  end_turn(*turn, request, because);
  return true;
}

// Somebody waits for room still; else who has not gone yet may stay.
bool Engine::Impl::is_turn_wanted() const {
  return std::ranges::any_of(requests, [](const auto& entry) {
    switch (entry.second.hindrance) {
      case Reason::memory:
      case Reason::machine:
      case Reason::pool:
      case Reason::device:
      case Reason::conflict:
        return entry.second.kind != WantKind::preload && entry.second.kind != WantKind::keep;
      default:
        return false;
    }
  });
}

// One whose turn is over and that has not gone: it may stay, has to, or was waited for in vain.
bool Engine::Impl::give_turn_back(ComponentId id, bool is_depended_on) {
  Component& c = at(id);
  if (c.unload_reason != Reason::turn) return false;
  const bool has_to_stay = c.is_pinned || c.spec.priority == Priority::core;
  if (!has_to_stay && is_turn_wanted()) {
    const bool is_held = c.leases > 0 || c.fast_pending > 0;
    const bool is_in_vain = is_held && now >= c.turn_ended + waited_for(c.exchange);
    if (!is_in_vain && !is_depended_on) return false;
    c.turn_began = now + (now - c.turn_ended);
  }
  undrain(id);
  return true;
}

}  // namespace hearth

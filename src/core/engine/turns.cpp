// Turns: components that are asked for all the time and do not fit together take turns, so that
// none of them keeps the others out, and none comes and goes with every request.
//
// A component that is held by answers alone (leases that end with one) gives way once it has been
// there for twice as long as the exchange costs: at least two thirds of the time go to answers.
// Then nobody else may take it, the answers under way are given, and it goes. Who has been there
// longest goes first. A lease that an application took for itself is not touched.
#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

Instant Engine::Impl::turn_end(ComponentId id, const Request& request) const {
  // Of one that was never loaded nothing is known: it does not lengthen the turn of another.
  Duration load = at(id).load_time;
  for (const ComponentId asked : request.asked) load = std::max(load, at(asked).load_time);
  return at(id).loaded_at + 2 * load;
}

bool Engine::Impl::may_end_turn(ComponentId id, const Request& request) const {
  const Component& c = at(id);
  return c.state == State::ready && c.leases > 0 && c.leases == c.use_leases && c.claimed == 0 &&
         c.engaged_dependents == 0 && !c.is_pinned && c.spec.priority != Priority::core &&
         c.spec.priority <= request.priority &&
         std::ranges::find(request.closure, id) == request.closure.end();
}

void Engine::Impl::end_turn(ComponentId id, ComponentId because) {
  at(id).displacer = because;
  ++totals.evictions;
  drain(id, Reason::turn, because);
}

// For a request that finds no room though all that is idle would go.
void Engine::Impl::take_turn(const Request& request, const std::vector<Ledger::Demand>& demands,
                             ComponentId because) {
  if (request.kind == WantKind::keep || request.kind == WantKind::preload) return;
  if (answering.empty()) return;
  std::vector<Ledger::Demand> gone = leaving_demands();
  for (const auto& [priority, key, id] : idle) {
    const bool is_spared = std::ranges::find(request.closure, id) != request.closure.end();
    if (!is_spared) gone.push_back(ledger.demand_of(id));
  }
  for (const ComponentId id : draining) {
    const bool is_held = at(id).leases > 0 || at(id).fast_pending > 0;
    if (at(id).unload_reason == Reason::turn && is_held) gone.push_back(ledger.demand_of(id));
  }
  auto short_of = ledger.shortfall(demands, gone);
  if (!short_of) return;
  std::set<std::pair<Instant, ComponentId>> by_age;
  for (const ComponentId id : answering) {
    if (may_end_turn(id, request)) by_age.emplace(at(id).loaded_at, id);
  }
  std::vector<ComponentId> chosen;
  Instant next = Instant::never();
  for (const auto& [loaded_at, id] : by_age) {
    if (!short_of) break;
    if (Ledger::share(ledger.demand_of(id), *short_of) == Bytes{}) continue;
    const Instant end = turn_end(id, request);
    if (end > now) {
      next = std::min(next, end);
      continue;
    }
    chosen.push_back(id);
    gone.push_back(ledger.demand_of(id));
    short_of = ledger.shortfall(demands, gone);
  }
  if (short_of) return arm(TimerKind::turn, request.id.value, next);
  for (const ComponentId id : chosen) end_turn(id, because);
}

bool Engine::Impl::take_turn_of(ComponentId rival, const Request& request, ComponentId because) {
  if (request.kind == WantKind::keep || request.kind == WantKind::preload) return false;
  if (!may_end_turn(rival, request)) return false;
  const Instant end = turn_end(rival, request);
  if (end > now) {
    arm(TimerKind::turn, request.id.value, end);
    return false;
  }
  end_turn(rival, because);
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

}  // namespace hearth

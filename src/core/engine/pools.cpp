// Who gives memory back to whom: see engine.h, Pools.
#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

Engine::Impl::Claim Engine::Impl::claim_of(const Request& request,
                                           const std::vector<ComponentId>& missing,
                                           const std::vector<Ledger::Demand>& wanted) const {
  Claim claim{.wanted = wanted, .priority = request.priority};
  for (const ComponentId id : missing) {
    const PoolId pool = demand_for(id).pool;
    if (pool.value != 0) claim.pools.insert(pool);
  }
  return claim;
}

bool Engine::Impl::is_borrowing(const Claim& claim, const std::vector<Ledger::Demand>& gone) const {
  return std::ranges::any_of(claim.pools, [&](PoolId pool) {
    return ledger.borrowed(pool, claim.wanted, gone) > Bytes{};
  });
}

// In a pool that is above its size once what is claimed is there: that much was borrowed.
bool Engine::Impl::is_borrowed(ComponentId id, const Claim& claim,
                               const std::vector<Ledger::Demand>& gone) const {
  const PoolId pool = ledger.demand_of(id).pool;
  return ledger.borrowed(pool, claim.wanted, gone) > Bytes{};
}

bool Engine::Impl::is_protected(ComponentId id, const Claim& claim,
                                const std::vector<Ledger::Demand>& gone) const {
  const bool is_in_pool = ledger.demand_of(id).pool.value != 0;
  if (!is_in_pool || at(id).spec.priority < claim.priority) return false;
  // What needs something of the claim's own pools keeps them full: it counts as theirs.
  const bool is_own = std::ranges::any_of(at(id).closure, [&](ComponentId member) {
    return is_engaged(member) && claim.pools.contains(ledger.demand_of(member).pool);
  });
  return !is_own && !is_borrowed(id, claim, gone) && is_borrowing(claim, gone);
}

// All that is idle and may go for it. What of its own pools goes makes it borrow less, and so may
// let more go: it is asked again.
IdSet<ComponentId> Engine::Impl::idle_for(const Claim& claim,
                                          const std::vector<ComponentId>& spared) const {
  std::vector<Ledger::Demand> gone = leaving_demands();
  IdSet<ComponentId> found;
  for (int round = 0; round < 2; ++round) {
    for (const auto& [priority, key, id] : idle) {
      const bool is_spared = std::ranges::find(spared, id) != spared.end();
      if (is_spared || found.contains(id) || is_protected(id, claim, gone)) continue;
      found.insert(id);
      gone.push_back(ledger.demand_of(id));
    }
  }
  return found;
}

// Without one of these victims another of them would have no reason to go.
bool Engine::Impl::is_any_protected(const std::vector<ComponentId>& victims,
                                    const Claim& claim) const {
  const std::vector<Ledger::Demand> leaving_now = leaving_demands();
  return std::ranges::any_of(victims, [&](ComponentId id) {
    std::vector<Ledger::Demand> gone = leaving_now;
    for (const ComponentId other : victims) {
      if (other != id) gone.push_back(ledger.demand_of(other));
    }
    return is_protected(id, claim, gone);
  });
}

}  // namespace hearth

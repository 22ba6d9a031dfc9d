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

// Those who have no reason to go once the others have. Some may be chosen all the same, where a
// device or a hard pool is short.
std::vector<ComponentId> Engine::Impl::protected_among(const std::vector<Leaver>& victims,
                                                       const Claim& claim) const {
  const std::vector<Ledger::Demand> leaving_now = leaving_demands();
  std::vector<ComponentId> found;
  for (const Leaver& victim : victims) {
    std::vector<Ledger::Demand> gone = leaving_now;
    for (const Leaver& other : victims) {
      if (other.id != victim.id) gone.push_back(freed_by(other.id, other.to));
    }
    if (is_protected(victim.id, claim, gone)) found.push_back(victim.id);
  }
  return found;
}

// If `fewer` go, or give back less, one of them has no reason to any more that had one before.
bool Engine::Impl::protects_more(const std::vector<Leaver>& fewer,
                                 const std::vector<Leaver>& victims, const Claim& claim) const {
  const std::vector<ComponentId> before = protected_among(victims, claim);
  return std::ranges::any_of(protected_among(fewer, claim), [&](ComponentId id) {
    return std::ranges::find(before, id) == before.end();
  });
}

}  // namespace hearth

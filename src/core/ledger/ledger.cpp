#include "core/ledger/ledger.h"

namespace hearth {
namespace {

Bytes& at(std::vector<Bytes>& sums, std::size_t index) {
  HEARTH_ASSERT(index < sums.size());
  return sums[index];
}

// a + b with everything above unlimited() kept there, so that sums of bounds never wrap.
Bytes sum(Bytes a, Bytes b) {
  const Bytes limit = Bytes::unlimited();
  return a.count > limit.count - std::min(b.count, limit.count) ? limit : a + b;
}

}  // namespace

void Ledger::set_budgets(std::vector<Bytes> budgets, std::vector<Pool> pools) {
  HEARTH_ASSERT(!budgets.empty() && !pools.empty());
  pools[0] = Pool{Bytes::unlimited()};
  budgets_ = std::move(budgets);
  pools_ = std::move(pools);
  used_.assign(budgets_.size(), Bytes{});
  pool_used_.assign(pools_.size(), Bytes{});
  for (Held& held : held_) {
    if (!held.is_held) continue;
    if (held.demand.pool.value >= pools_.size()) held.demand.pool = PoolId{};
    std::erase_if(held.demand.others,
                  [&](const auto& other) { return other.first.value >= budgets_.size(); });
    add(held.demand);
  }
}

void Ledger::renumber(const std::vector<std::uint16_t>& pools,
                      const std::vector<std::uint16_t>& resources) {
  const auto numbered = [](const std::vector<std::uint16_t>& numbers, std::uint16_t old) {
    return old < numbers.size() ? numbers[old] : old;
  };
  for (Held& held : held_) {
    held.demand.pool.value = numbered(pools, held.demand.pool.value);
    for (auto& [resource, bytes] : held.demand.others) {
      resource.value = numbered(resources, resource.value);
    }
    std::erase_if(held.demand.others, [](const auto& other) { return other.first.value == 0; });
  }
}

void Ledger::withhold(Bytes ram, bool is_owed) {
  withheld_ = ram;
  is_owed_ = is_owed;
}

void Ledger::add(const Demand& demand) {
  at(used_, 0) += demand.ram;
  at(pool_used_, demand.pool.value) += demand.ram;
  for (const auto& [resource, bytes] : demand.others) at(used_, resource.value) += bytes;
}

void Ledger::subtract(const Demand& demand) {
  at(used_, 0) -= demand.ram;
  at(pool_used_, demand.pool.value) -= demand.ram;
  for (const auto& [resource, bytes] : demand.others) at(used_, resource.value) -= bytes;
}

bool Ledger::try_reserve(ComponentId id, const Demand& demand) {
  HEARTH_ASSERT(!holds(id));
  if (shortfall({demand})) return false;
  if (held_.size() <= id.value) held_.resize(id.value + 1);
  held_[id.value] = Held{.is_held = true, .demand = demand};
  add(demand);
  HEARTH_DASSERT(recount());
  return true;
}

void Ledger::hold(ComponentId id, const Demand& demand) {
  HEARTH_ASSERT(!holds(id));
  if (held_.size() <= id.value) held_.resize(id.value + 1);
  held_[id.value] = Held{.is_held = true, .demand = demand};
  add(demand);
}

void Ledger::replace(ComponentId id, Bytes ram) {
  HEARTH_ASSERT(holds(id));
  Held& held = held_[id.value];
  subtract(held.demand);
  held.demand.ram = ram;
  add(held.demand);
}

void Ledger::replace(ComponentId id, ResourceId resource, Bytes bytes) {
  HEARTH_ASSERT(holds(id) && resource.value != 0);
  Held& held = held_[id.value];
  subtract(held.demand);
  const auto found =
      std::ranges::find(held.demand.others, resource, &std::pair<ResourceId, Bytes>::first);
  if (found == held.demand.others.end()) {
    held.demand.others.emplace_back(resource, bytes);
  } else {
    found->second = bytes;
  }
  add(held.demand);
}

void Ledger::release(ComponentId id) {
  HEARTH_ASSERT(holds(id));
  subtract(held_[id.value].demand);
  held_[id.value] = Held{};
}

bool Ledger::holds(ComponentId id) const {
  return id.value < held_.size() && held_[id.value].is_held;
}

Bytes Ledger::held(ComponentId id) const {
  return holds(id) ? held_[id.value].demand.ram : Bytes{};
}

const Ledger::Demand& Ledger::demand_of(ComponentId id) const {
  HEARTH_ASSERT(holds(id));
  return held_[id.value].demand;
}

namespace {

template <class BytesOf>
Bytes total(const std::vector<Ledger::Demand>& list, BytesOf bytes_of) {
  Bytes result;
  for (const Ledger::Demand& demand : list) result = sum(result, bytes_of(demand));
  return result;
}

auto ram_in(PoolId pool) {
  return
      [pool](const Ledger::Demand& demand) { return demand.pool == pool ? demand.ram : Bytes{}; };
}

}  // namespace

std::optional<Ledger::Shortfall> Ledger::shortfall(const std::vector<Demand>& demands,
                                                   const std::vector<Demand>& gone) const {
  const auto short_of = [&](Bytes budget, Bytes used, auto bytes_of) {
    const Bytes wanted = total(demands, bytes_of);
    if (wanted == Bytes{} && used <= budget) return Bytes{};
    return less(sum(less(used, total(gone, bytes_of)), wanted), budget);
  };
  for (std::uint16_t r = 0; r < budgets_.size(); ++r) {
    const Bytes missing = short_of(budgets_[r], used_[r], [r](const Demand& demand) {
      if (r == 0) return demand.ram;
      Bytes bytes;
      for (const auto& [resource, amount] : demand.others) {
        if (resource.value == r) bytes += amount;
      }
      return bytes;
    });
    if (missing > Bytes{}) return Shortfall{ResourceId{r}, PoolId{}, missing, false};
  }
  for (std::uint16_t p = 1; p < pools_.size(); ++p) {
    if (!pools_[p].is_hard) continue;
    const Bytes missing = short_of(pools_[p].size, pool_used_[p], ram_in(PoolId{p}));
    if (missing > Bytes{}) return Shortfall{ResourceId{}, PoolId{p}, missing, false};
  }
  // Last: what is short of a budget is short for good, this only for now.
  const bool is_asked = is_owed_ || !demands.empty();
  if (withheld_ == Bytes{} || !is_asked) return std::nullopt;
  const Bytes missing = short_of(less(budgets_[0], withheld_), used_[0],
                                 [](const Demand& demand) { return demand.ram; });
  if (missing == Bytes{}) return std::nullopt;
  return Shortfall{ResourceId{}, PoolId{}, missing, true};
}

Ledger Ledger::of_budgets(const Ledger& ledger) {
  Ledger empty;
  empty.budgets_ = ledger.budgets_;
  empty.pools_ = ledger.pools_;
  empty.used_.assign(empty.budgets_.size(), Bytes{});
  empty.pool_used_.assign(empty.pools_.size(), Bytes{});
  return empty;
}

Bytes Ledger::share(const Demand& demand, const Shortfall& shortfall) {
  if (shortfall.pool.value != 0) {
    return demand.pool == shortfall.pool ? demand.ram : Bytes{};
  }
  if (shortfall.resource.value == 0) return demand.ram;
  Bytes bytes;
  for (const auto& [resource, amount] : demand.others) {
    if (resource == shortfall.resource) bytes += amount;
  }
  return bytes;
}

Bytes Ledger::budget(ResourceId resource) const { return budgets_.at(resource.value); }
Bytes Ledger::used(ResourceId resource) const { return used_.at(resource.value); }
Bytes Ledger::pool_budget(PoolId pool) const { return pools_.at(pool.value).size; }
Bytes Ledger::pool_used(PoolId pool) const { return pool_used_.at(pool.value); }
bool Ledger::is_hard(PoolId pool) const { return pools_.at(pool.value).is_hard; }

Bytes Ledger::borrowed(PoolId pool, const std::vector<Demand>& demands,
                       const std::vector<Demand>& gone) const {
  const Bytes left = less(pool_used(pool), total(gone, ram_in(pool)));
  return less(sum(left, total(demands, ram_in(pool))), pool_budget(pool));
}

Bytes Ledger::lent(PoolId pool) const {
  if (pool.value == 0) return Bytes{};
  return less(less(pool_budget(pool), pool_used(pool)), less(budgets_[0], used_[0]));
}

bool Ledger::recount() const {
  Ledger fresh;
  fresh.budgets_ = budgets_;
  fresh.pools_ = pools_;
  fresh.used_.assign(budgets_.size(), Bytes{});
  fresh.pool_used_.assign(pools_.size(), Bytes{});
  for (const Held& held : held_) {
    if (held.is_held) fresh.add(held.demand);
  }
  return fresh.used_ == used_ && fresh.pool_used_ == pool_used_;
}

bool Ledger::is_consistent() const {
  if (budgets_.empty() || pools_.empty() || budgets_.size() != used_.size() ||
      pools_.size() != pool_used_.size()) {
    return false;
  }
  for (const Held& held : held_) {
    if (held.demand.pool.value >= pools_.size()) return false;
    for (const auto& [resource, bytes] : held.demand.others) {
      if (resource.value >= budgets_.size()) return false;
    }
  }
  return recount();
}

}  // namespace hearth

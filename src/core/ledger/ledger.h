// Memory accounting by resource and pool.
//
//   used(resource) = sum of what every component holds there
//
// Contract   a reservation is made before a load starts (at the upper bound) and replaced by what
//            was measured after. try_reserve() refuses what does not fit every budget and pool;
//            replace() always takes effect, and may put a budget over: shortfall({}) tells by how
//            much. Resource 0 is ram.
// Pools      sub-budgets of ram; pool 0 is "none", has no size, borrows nothing and lends nothing.
//            What a pool does not use is lent: anybody may have it. The size of a hard pool is a
//            limit: nothing is admitted above it. The size of a soft pool is what it can have back:
//            it may be above it while ram as a whole has room, and what is above is borrowed. Who
//            gives borrowed memory back, and to whom, is the engine's (engine.h).
// Errors     reserving twice or releasing what is not held is an assertion.
// Exactness  recount() from scratch equals the running sums; checked in debug builds.
// Threads    thread-compatible.  Cost  O(resources) a call; recount O(components).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace hearth {

class Ledger {
 public:
  struct Demand {
    Bytes ram;
    PoolId pool;
    std::vector<std::pair<ResourceId, Bytes>> others;
    template <class A>
    void fields(A& a) {
      a(ram, pool, others);
    }
  };
  struct Pool {
    Bytes size;
    bool is_hard = false;
    template <class A>
    void fields(A& a) {
      a(size, is_hard);
    }
  };
  // Which budget is short, and by how much.
  struct Shortfall {
    ResourceId resource;
    PoolId pool;  // 0: the resource's own budget; else a hard pool
    Bytes bytes;
    bool is_withheld = false;  // the budget alone would do
    [[nodiscard]] bool is_of_ram() const { return resource.value == 0 && pool.value == 0; }
  };

  // budgets[0] is ram; pools[0] is ignored. What is held stays held.
  void set_budgets(std::vector<Bytes> budgets, std::vector<Pool> pools);
  // Before set_budgets(), which has to follow: the new number of each old one, 0 for one that is no
  // more. Numbers that are not in the lists stay.
  void renumber(const std::vector<std::uint16_t>& pools,
                const std::vector<std::uint16_t>& resources);
  // So much of the ram budget is in use by others for now: it is not to be had, and if `is_owed`
  // what is held above the rest is exceeded. budget() does not change.
  void withhold(Bytes ram, bool is_owed);

  [[nodiscard]] bool try_reserve(ComponentId id, const Demand& demand);
  // What is there already, whatever the budgets say (a component found running at a start).
  void hold(ComponentId id, const Demand& demand);
  void replace(ComponentId id, Bytes ram);  // ram only; holds() must be true
  // Of another resource, which it takes of if it did not yet; holds() must be true.
  void replace(ComponentId id, ResourceId resource, Bytes bytes);
  void release(ComponentId id);

  [[nodiscard]] bool holds(ComponentId id) const;
  [[nodiscard]] Bytes held(ComponentId id) const;  // ram; 0 when it holds nothing
  [[nodiscard]] const Demand& demand_of(ComponentId id) const;
  // What is missing for these together once `gone` is released, first shortage only; none when they
  // fit. With no demands: the first budget that is exceeded.
  [[nodiscard]] std::optional<Shortfall> shortfall(const std::vector<Demand>& demands,
                                                   const std::vector<Demand>& gone = {}) const;
  // The same budgets with nothing held or withheld: would these fit if they were alone?
  [[nodiscard]] static Ledger of_budgets(const Ledger& ledger);
  // How much releasing `demand` helps against this shortfall.
  [[nodiscard]] static Bytes share(const Demand& demand, const Shortfall& shortfall);

  [[nodiscard]] Bytes budget(ResourceId resource) const;
  [[nodiscard]] Bytes used(ResourceId resource) const;
  [[nodiscard]] Bytes withheld() const { return withheld_; }
  [[nodiscard]] Bytes pool_budget(PoolId pool) const;
  [[nodiscard]] Bytes pool_used(PoolId pool) const;
  [[nodiscard]] bool is_hard(PoolId pool) const;
  // What it has above its size once these are there and `gone` is released.
  [[nodiscard]] Bytes borrowed(PoolId pool, const std::vector<Demand>& demands = {},
                               const std::vector<Demand>& gone = {}) const;
  // Of its size: what it does not use and could not have now, because others have it.
  [[nodiscard]] Bytes lent(PoolId pool) const;
  [[nodiscard]] std::size_t resource_count() const { return budgets_.size(); }
  [[nodiscard]] std::size_t pool_count() const { return pools_.size(); }

  // True when the sums agree with a count from scratch.
  [[nodiscard]] bool recount() const;
  // True when stored bytes gave a ledger that could have been built by calls.
  [[nodiscard]] bool is_consistent() const;
  // Whether there are so many resources beside `ram`, and so many pools.
  [[nodiscard]] bool has_shape(std::size_t resources, std::size_t pools) const {
    return budgets_.size() == resources + 1 && pools_.size() == pools + 1;
  }

  template <class A>
  void fields(A& a) {
    a(budgets_, used_, pools_, pool_used_, held_, withheld_, is_owed_);
  }

 private:
  struct Held {
    bool is_held = false;
    Demand demand;
    template <class A>
    void fields(A& a) {
      a(is_held, demand);
    }
  };
  void add(const Demand& demand);
  void subtract(const Demand& demand);

  std::vector<Bytes> budgets_{Bytes::unlimited()};
  std::vector<Bytes> used_{Bytes{}};
  std::vector<Pool> pools_{Pool{Bytes::unlimited()}};
  std::vector<Bytes> pool_used_{Bytes{}};
  std::vector<Held> held_;  // by ComponentId
  Bytes withheld_{};
  bool is_owed_ = false;
};

}  // namespace hearth

// Which idle component goes first. A policy ranks; only the engine unloads.
//
// Contract   key(): the candidate with the smallest key is evicted first; the engine breaks ties by
//            id. on_load, on_use and on_unload keep what the policy remembers, a few numbers a
//            component and a few for all; both are owned by the engine and part of its snapshot.
//            A policy whose keys change without a call (they age) says so: it is re-keyed over idle
//            residents before each ranking.
// Exactness  + - * / and sqrt on doubles only, so equal inputs give equal bits everywhere.
// Threads    pure functions of their arguments.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/units.h"

namespace hearth {

struct EvictionCandidate {
  Bytes size{};           // resident
  Duration load_time{0};  // learnt or declared
  Instant loaded_at{};
  Instant last_used{};
  std::uint64_t uses = 0;  // since it was first known
  double predicted = 0;    // last intent probability, 0 when it is of an earlier command
};

struct ComponentPolicyState {
  std::array<double, 3> number{};
  template <class A>
  void fields(A& a) {
    a(number);
  }
};

struct PolicyState {
  std::array<double, 4> number{};
  template <class A>
  void fields(A& a) {
    a(number);
  }
};

struct EvictionPolicy {
  std::string_view summary;
  // Any of these may be null, except key.
  void (*on_load)(PolicyState&, ComponentPolicyState&, const EvictionCandidate&, Instant now);
  void (*on_use)(PolicyState&, ComponentPolicyState&, const EvictionCandidate&, Instant now);
  // `was_evicted`: chosen by rank, rather than idle for too long or unloaded by hand.
  void (*on_unload)(PolicyState&, ComponentPolicyState&, const EvictionCandidate&,
                    bool was_evicted);
  double (*key)(const PolicyState&, const ComponentPolicyState&, const EvictionCandidate&,
                Instant now);
  bool keys_age = false;
};

struct NamedEvictionPolicy {
  std::string_view name;
  const EvictionPolicy* policy;
};

// Every policy under policy/eviction/, by name, in alphabetical order.
[[nodiscard]] std::span<const NamedEvictionPolicy> eviction_policies();
[[nodiscard]] const EvictionPolicy* find_eviction_policy(std::string_view name);

}  // namespace hearth

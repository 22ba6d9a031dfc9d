// What needs what: cycles, order, closure and the order in which a set is best loaded.
//
// Contract   `needs[a]` holds what component a needs directly, each id below needs.size(). All but
//            find_cycle() require that there is no cycle (find_cycle() is empty). Equal inputs give
//            equal outputs: ties go to the lower id.
// Errors     a broken requirement is our own fault: an assertion.
// Threads    pure.
// Cost       linear in nodes and edges, unless said otherwise; no recursion.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/units.h"

namespace hearth {

using Needs = std::vector<std::vector<ComponentId>>;

// A cycle in the direction of the needs, starting with its smallest id and without repeating it at
// the end; empty when there is none. A component that needs itself is a cycle of one.
[[nodiscard]] std::vector<ComponentId> find_cycle(const Needs& needs);

// The roots and all that they need, each once, needs first.
[[nodiscard]] std::vector<ComponentId> closure(const Needs& needs,
                                               std::span<const ComponentId> roots);

// 0 for what needs nothing, otherwise one more than the largest of its needs.
[[nodiscard]] std::vector<std::uint32_t> topological_ranks(const Needs& needs);

// The reverse of `needs`; each list ascends.
[[nodiscard]] Needs dependents(const Needs& needs);

// For each of `set` (needs first, as closure() gives it) the time from its start to the end of the
// longest chain of its dependents within the set: what should start first has the largest.
// `durations` is indexed by id and at least needs.size() long. Cost: the set and its edges.
[[nodiscard]] std::vector<Duration> longest_paths(const Needs& needs,
                                                  std::span<const ComponentId> set,
                                                  std::span<const Duration> durations);

// The set in the order in which its loads should be tried when at most `slots` run at once:
// whenever a slot is free the first of the order whose needs are ready starts. By longest path; a
// set of up to planned_exactly_max is ordered so that no other order ends sooner, unless the search
// exceeds its bound and returns the best found.
inline constexpr std::size_t planned_exactly_max = 8;
[[nodiscard]] std::vector<ComponentId> start_order(const Needs& needs,
                                                   std::span<const ComponentId> set,
                                                   std::span<const Duration> durations,
                                                   std::size_t slots);

// When the last of `order` is loaded under the rule of start_order().
[[nodiscard]] Duration makespan(const Needs& needs, std::span<const ComponentId> order,
                                std::span<const Duration> durations, std::size_t slots);

}  // namespace hearth

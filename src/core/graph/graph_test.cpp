// The graph functions against slow and obvious versions, on every small graph.
#include "core/graph/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

#include "base/prng.h"

namespace hearth {
namespace {

ComponentId id(std::size_t value) { return ComponentId{static_cast<std::uint32_t>(value)}; }

// Bit i * n + j: i needs j.
Needs graph_of(std::size_t n, unsigned bits) {
  Needs needs(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (((bits >> (i * n + j)) & 1U) != 0) needs[i].push_back(id(j));
    }
  }
  return needs;
}

// reach[i][j]: there is a way of one step or more from i to j.
std::vector<std::vector<bool>> reach_of(const Needs& needs) {
  const std::size_t n = needs.size();
  std::vector<std::vector<bool>> reach(n, std::vector<bool>(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (const ComponentId need : needs[i]) reach[i][need.value] = true;
  }
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        if (reach[i][k] && reach[k][j]) reach[i][j] = true;
      }
    }
  }
  return reach;
}

bool does_need(const Needs& needs, ComponentId from, ComponentId to) {
  const auto& below = needs[from.value];
  return std::find(below.begin(), below.end(), to) != below.end();
}

std::uint32_t rank_of(const Needs& needs, ComponentId node) {
  std::uint32_t rank = 0;
  for (const ComponentId need : needs[node.value]) {
    rank = std::max(rank, rank_of(needs, need) + 1);
  }
  return rank;
}

Duration path_of(const Needs& needs, const std::vector<ComponentId>& set,
                 const std::vector<Duration>& durations, ComponentId node) {
  Duration above{0};
  for (const ComponentId other : set) {
    if (does_need(needs, other, node)) {
      above = std::max(above, path_of(needs, set, durations, other));
    }
  }
  return durations[node.value] + above;
}

template <class Check>
void for_every_graph(std::size_t n, Check check) {
  for (unsigned bits = 0; bits < (1U << (n * n)); ++bits) {
    check(graph_of(n, bits));
    if (testing::Test::HasFailure()) FAIL() << "graph " << n << ":" << bits;
  }
}

TEST(FindCycle, FindsACycleExactlyWhenSomethingReachesItself) {
  for (std::size_t n = 1; n <= 4; ++n) {
    for_every_graph(n, [n](const Needs& needs) {
      const auto reach = reach_of(needs);
      bool is_cyclic = false;
      for (std::size_t i = 0; i < n; ++i) is_cyclic = is_cyclic || reach[i][i];
      const std::vector<ComponentId> cycle = find_cycle(needs);
      ASSERT_EQ(!cycle.empty(), is_cyclic);
      for (std::size_t i = 0; i < cycle.size(); ++i) {
        ASSERT_TRUE(does_need(needs, cycle[i], cycle[(i + 1) % cycle.size()]));
      }
      ASSERT_EQ(std::set<ComponentId>(cycle.begin(), cycle.end()).size(), cycle.size());
      if (!cycle.empty()) {
        ASSERT_EQ(cycle.front(), *std::min_element(cycle.begin(), cycle.end()));
      }
    });
  }
}

TEST(Closure, HoldsWhatTheRootsReachOnceWithNeedsFirst) {
  for (std::size_t n = 1; n <= 4; ++n) {
    for_every_graph(n, [n](const Needs& needs) {
      if (!find_cycle(needs).empty()) return;
      const auto reach = reach_of(needs);
      for (unsigned chosen = 0; chosen < (1U << n); ++chosen) {
        std::vector<ComponentId> roots;
        std::set<ComponentId> expected;
        for (std::size_t i = 0; i < n; ++i) {
          if (((chosen >> i) & 1U) == 0) continue;
          roots.push_back(id(i));
          expected.insert(id(i));
          for (std::size_t j = 0; j < n; ++j) {
            if (reach[i][j]) expected.insert(id(j));
          }
        }
        const std::vector<ComponentId> found = closure(needs, roots);
        ASSERT_EQ(found.size(), expected.size());
        ASSERT_EQ(std::set<ComponentId>(found.begin(), found.end()), expected);
        std::set<ComponentId> before;
        for (const ComponentId node : found) {
          for (const ComponentId need : needs[node.value]) ASSERT_TRUE(before.contains(need));
          before.insert(node);
        }
      }
    });
  }
}

TEST(TopologicalRanks, AreOneAboveTheHighestNeed) {
  for (std::size_t n = 1; n <= 4; ++n) {
    for_every_graph(n, [n](const Needs& needs) {
      if (!find_cycle(needs).empty()) return;
      const std::vector<std::uint32_t> ranks = topological_ranks(needs);
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(ranks[i], rank_of(needs, id(i)));
    });
  }
}

TEST(Dependents, AreTheNeedsReversed) {
  for (std::size_t n = 1; n <= 3; ++n) {
    for_every_graph(n, [n](const Needs& needs) {
      const Needs reverse = dependents(needs);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(std::is_sorted(reverse[i].begin(), reverse[i].end()));
        for (std::size_t j = 0; j < n; ++j) {
          ASSERT_EQ(does_need(needs, id(i), id(j)), does_need(reverse, id(j), id(i)));
        }
      }
      ASSERT_EQ(dependents(reverse), needs);
    });
  }
}

TEST(LongestPaths, CountOwnTimeAndTheLongestChainOfDependentsWithinTheSet) {
  const std::vector<Duration> durations{3s, 1s, 4s, 2s};
  for_every_graph(4, [&durations](const Needs& needs) {
    if (!find_cycle(needs).empty()) return;
    for (std::size_t root = 0; root < 4; ++root) {
      const std::vector<ComponentId> roots{id(root)};
      const std::vector<ComponentId> set = closure(needs, roots);
      const std::vector<Duration> paths = longest_paths(needs, set, durations);
      for (std::size_t i = 0; i < set.size(); ++i) {
        ASSERT_EQ(paths[i], path_of(needs, set, durations, set[i]));
      }
    }
  });
}

TEST(Graph, AChainAsLongAsTheRegistryIsWalkedWithoutRecursion) {
  const std::size_t n = 65'536;
  Needs needs(n);
  for (std::size_t i = 0; i + 1 < n; ++i) needs[i].push_back(id(i + 1));
  EXPECT_TRUE(find_cycle(needs).empty());
  EXPECT_EQ(topological_ranks(needs).front(), n - 1);
  const std::vector<ComponentId> roots{id(0)};
  EXPECT_EQ(closure(needs, roots).front(), id(n - 1));
  needs[n - 1].push_back(id(0));
  EXPECT_EQ(find_cycle(needs).size(), n);
}

// The shortest makespan over all orders of the set.
Duration best_makespan(const Needs& needs, std::vector<ComponentId> set,
                       const std::vector<Duration>& durations, std::size_t slots) {
  std::sort(set.begin(), set.end());
  Duration best = Duration::max();
  do {
    best = std::min(best, makespan(needs, set, durations, slots));
  } while (std::next_permutation(set.begin(), set.end()));
  return best;
}

std::vector<ComponentId> all_of(std::size_t n) {
  std::vector<ComponentId> roots;
  for (std::size_t i = 0; i < n; ++i) roots.push_back(id(i));
  return roots;
}

// Each i needs some of those below it.
Needs needs_below(std::size_t n, unsigned bits) {
  Needs needs(n);
  unsigned bit = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j, ++bit) {
      if (((bits >> bit) & 1U) != 0) needs[i].push_back(id(j));
    }
  }
  return needs;
}

void expect_shortest(const Needs& needs, const std::vector<Duration>& durations,
                     std::size_t slots) {
  const std::vector<ComponentId> set = closure(needs, all_of(needs.size()));
  const std::vector<ComponentId> order = start_order(needs, set, durations, slots);
  ASSERT_EQ(std::set<ComponentId>(order.begin(), order.end()).size(), needs.size());
  ASSERT_EQ(makespan(needs, order, durations, slots), best_makespan(needs, set, durations, slots));
}

TEST(StartOrder, EndsAsSoonAsTheBestOfAllOrdersOnEveryGraphOfUpToFive) {
  const std::vector<Duration> equal(5, 1s);
  const std::vector<Duration> uneven{3s, 5s, 2s, 2s, 4s};
  for (std::size_t n = 1; n <= 5; ++n) {
    for (unsigned bits = 0; bits < (1U << (n * (n - 1) / 2)); ++bits) {
      for (std::size_t slots = n == 5 ? 2 : 1; slots <= (n == 5 ? 2 : 3); ++slots) {
        const Needs needs = needs_below(n, bits);
        expect_shortest(needs, equal, slots);
        expect_shortest(needs, uneven, slots);
        if (HasFailure()) FAIL() << "graph " << n << ":" << bits << ", slots " << slots;
      }
    }
  }
}

TEST(StartOrder, EndsAsSoonAsTheBestOfAllOrdersOnGraphsOfUpToEight) {
  Prng prng(11);
  const unsigned rounds[] = {100, 12, 2};
  for (std::size_t n = 6; n <= 8; ++n) {
    for (unsigned round = 0; round < rounds[n - 6]; ++round) {
      const unsigned dense = static_cast<unsigned>(prng.next());
      const unsigned bits = dense & static_cast<unsigned>(prng.next());
      std::vector<Duration> durations;
      for (std::size_t i = 0; i < n; ++i) {
        durations.push_back(Duration{prng.between(50'000'000, 5'000'000'000)});
      }
      const std::size_t slots = 2 + prng.below(2);
      expect_shortest(needs_below(n, bits), durations, slots);
      if (HasFailure()) FAIL() << "graph " << n << ":" << bits << ", slots " << slots;
    }
  }
}

TEST(StartOrder, BeatsTheLongestPathRuleWhereThatIsNotBest) {
  const Needs needs(5);
  const std::vector<Duration> durations{3s, 3s, 2s, 2s, 2s};
  const std::vector<ComponentId> by_path = all_of(5);
  EXPECT_EQ(makespan(needs, by_path, durations, 2), 7s);
  EXPECT_EQ(makespan(needs, start_order(needs, by_path, durations, 2), durations, 2), 6s);
}

TEST(StartOrder, GoesByTheLongestPathInALargeSet) {
  Needs needs(12);
  needs[11] = {id(3)};
  std::vector<Duration> durations(12, 1s);
  durations[7] = 10s;
  const std::vector<ComponentId> set = closure(needs, all_of(12));
  const std::vector<ComponentId> order = start_order(needs, set, durations, 2);
  EXPECT_EQ(order[0], id(7));
  EXPECT_EQ(order[1], id(3));
  EXPECT_EQ(order[2], id(0)) << "ties go to the lower id";
}

}  // namespace
}  // namespace hearth

#include "core/graph/graph.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "base/assert.h"

namespace hearth {
namespace {

enum class Mark : unsigned char { unseen, open, done };

struct Frame {
  std::uint32_t node;
  std::size_t next;  // index into needs[node]
};

// Walks depth first from `root` over what is unseen and calls `leave` for each node after its
// needs. Returns the path to a node that is open already, which closes a cycle, or nothing.
template <class Leave>
std::vector<std::uint32_t> walk(const Needs& needs, std::uint32_t root, std::vector<Mark>& marks,
                                Leave leave) {
  if (marks[root] != Mark::unseen) return {};
  std::vector<Frame> path{{root, 0}};
  marks[root] = Mark::open;
  while (!path.empty()) {
    Frame& top = path.back();
    const auto& below = needs[top.node];
    if (top.next == below.size()) {
      marks[top.node] = Mark::done;
      leave(top.node);
      path.pop_back();
      continue;
    }
    const std::uint32_t need = below[top.next++].value;
    HEARTH_ASSERT(need < needs.size());
    if (marks[need] == Mark::open) {
      std::vector<std::uint32_t> cycle;
      auto first = std::find_if(path.begin(), path.end(),
                                [need](const Frame& frame) { return frame.node == need; });
      for (; first != path.end(); ++first) cycle.push_back(first->node);
      return cycle;
    }
    if (marks[need] == Mark::unseen) {
      marks[need] = Mark::open;
      path.push_back({need, 0});
    }
  }
  return {};
}

// A set small enough to search, by position: what each needs and is needed by, as bits.
struct Small {
  std::size_t count = 0;
  std::array<unsigned, planned_exactly_max> needs{};
  std::array<Duration, planned_exactly_max> duration{};
  std::array<Duration, planned_exactly_max> path{};
};

struct Search {
  const Small& set;
  std::size_t slots;
  Duration lower_bound;
  Duration best;
  std::vector<unsigned> best_order;
  std::vector<unsigned> order;
  std::array<Duration, planned_exactly_max> ends{};
  unsigned long visits_left = 200'000;

  // All choices at time `now`, with `running` under way, `done` loaded.
  void visit(unsigned done, unsigned running, Duration now);

 private:
  void start(unsigned done, unsigned running, unsigned startable, unsigned free, unsigned from,
             Duration now);
  void advance(unsigned done, unsigned running);
  [[nodiscard]] bool is_hopeless(unsigned done, unsigned running, Duration now) const;
};

bool has(unsigned bits, std::size_t index) { return ((bits >> index) & 1U) != 0; }

bool Search::is_hopeless(unsigned done, unsigned running, Duration now) const {
  Duration work{0};
  for (std::size_t i = 0; i < set.count; ++i) {
    if (has(done, i)) continue;
    const Duration begin = has(running, i) ? ends[i] - set.duration[i] : now;
    if (begin + set.path[i] >= best) return true;
    work += has(running, i) ? ends[i] - now : set.duration[i];
  }
  return now + work / static_cast<std::int64_t>(slots) >= best;
}

void Search::visit(unsigned done, unsigned running, Duration now) {
  if (visits_left == 0 || best <= lower_bound) return;
  --visits_left;
  const unsigned all = (1U << set.count) - 1U;
  if ((done | running) == all) {
    Duration end = now;
    for (std::size_t i = 0; i < set.count; ++i) {
      if (has(running, i)) end = std::max(end, ends[i]);
    }
    if (end < best) {
      best = end;
      best_order = order;
    }
    return;
  }
  if (is_hopeless(done, running, now)) return;
  unsigned startable = 0;
  for (std::size_t i = 0; i < set.count; ++i) {
    if (!has(done | running, i) && (set.needs[i] & ~done) == 0) startable |= 1U << i;
  }
  const auto busy = static_cast<std::size_t>(std::popcount(running));
  const auto free = static_cast<unsigned>(
      std::min(slots - busy, static_cast<std::size_t>(std::popcount(startable))));
  start(done, running, startable, free, 0, now);
}

// Fills exactly `free` slots in every way, then moves to the next end.
void Search::start(unsigned done, unsigned running, unsigned startable, unsigned free,
                   unsigned from, Duration now) {
  if (free == 0) {
    advance(done, running);
    return;
  }
  for (unsigned i = from; i < set.count; ++i) {
    if (!has(startable, i)) continue;
    order.push_back(i);
    ends[i] = now + set.duration[i];
    start(done, running | (1U << i), startable, free - 1, i + 1, now);
    order.pop_back();
  }
}

void Search::advance(unsigned done, unsigned running) {
  Duration next = Duration::max();
  for (std::size_t i = 0; i < set.count; ++i) {
    if (has(running, i)) next = std::min(next, ends[i]);
  }
  unsigned finished = 0;
  for (std::size_t i = 0; i < set.count; ++i) {
    if (has(running, i) && ends[i] == next) finished |= 1U << i;
  }
  // Deeper choices overwrite only the ends of what is not running now.
  visit(done | finished, running & ~finished, next);
}

}  // namespace

std::vector<ComponentId> find_cycle(const Needs& needs) {
  std::vector<Mark> marks(needs.size());
  for (std::uint32_t root = 0; root < needs.size(); ++root) {
    std::vector<std::uint32_t> found = walk(needs, root, marks, [](std::uint32_t) {});
    if (found.empty()) continue;
    std::rotate(found.begin(), std::min_element(found.begin(), found.end()), found.end());
    std::vector<ComponentId> cycle;
    cycle.reserve(found.size());
    for (const std::uint32_t node : found) cycle.push_back(ComponentId{node});
    return cycle;
  }
  return {};
}

std::vector<ComponentId> closure(const Needs& needs, std::span<const ComponentId> roots) {
  std::vector<ComponentId> order;
  std::vector<Mark> marks(needs.size());
  for (const ComponentId root : roots) {
    HEARTH_ASSERT(root.value < needs.size());
    const auto cycle = walk(needs, root.value, marks,
                            [&order](std::uint32_t node) { order.push_back(ComponentId{node}); });
    HEARTH_ASSERT(cycle.empty());
  }
  return order;
}

std::vector<std::uint32_t> topological_ranks(const Needs& needs) {
  std::vector<std::uint32_t> ranks(needs.size());
  std::vector<Mark> marks(needs.size());
  for (std::uint32_t root = 0; root < needs.size(); ++root) {
    const auto cycle = walk(needs, root, marks, [&](std::uint32_t node) {
      for (const ComponentId need : needs[node]) {
        ranks[node] = std::max(ranks[node], ranks[need.value] + 1);
      }
    });
    HEARTH_ASSERT(cycle.empty());
  }
  return ranks;
}

Needs dependents(const Needs& needs) {
  Needs reverse(needs.size());
  for (std::uint32_t node = 0; node < needs.size(); ++node) {
    for (const ComponentId need : needs[node]) {
      HEARTH_ASSERT(need.value < needs.size());
      auto& above = reverse[need.value];
      if (above.empty() || above.back().value != node) above.push_back(ComponentId{node});
    }
  }
  return reverse;
}

std::vector<Duration> longest_paths(const Needs& needs, std::span<const ComponentId> set,
                                    std::span<const Duration> durations) {
  std::vector<std::pair<ComponentId, std::size_t>> positions;
  positions.reserve(set.size());
  for (std::size_t i = 0; i < set.size(); ++i) positions.emplace_back(set[i], i);
  std::sort(positions.begin(), positions.end());

  std::vector<Duration> paths(set.size());
  for (std::size_t i = set.size(); i-- > 0;) {
    const ComponentId node = set[i];
    paths[i] += durations[node.value];
    for (const ComponentId need : needs[node.value]) {
      const auto found =
          std::lower_bound(positions.begin(), positions.end(), std::pair{need, std::size_t{0}});
      if (found == positions.end() || found->first != need) continue;
      HEARTH_ASSERT(found->second < i);  // needs first
      paths[found->second] = std::max(paths[found->second], paths[i]);
    }
  }
  return paths;
}

namespace {

std::vector<ComponentId> by_longest_path(std::span<const ComponentId> set,
                                         std::span<const Duration> paths) {
  std::vector<std::size_t> indices(set.size());
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = i;
  std::sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) {
    return paths[a] != paths[b] ? paths[a] > paths[b] : set[a] < set[b];
  });
  std::vector<ComponentId> order;
  order.reserve(set.size());
  for (const std::size_t i : indices) order.push_back(set[i]);
  return order;
}

Small small_set(const Needs& needs, std::span<const ComponentId> set,
                std::span<const Duration> durations, std::span<const Duration> paths) {
  Small small;
  small.count = set.size();
  for (std::size_t i = 0; i < set.size(); ++i) {
    small.duration[i] = durations[set[i].value];
    small.path[i] = paths[i];
    for (std::size_t j = 0; j < set.size(); ++j) {
      const auto& below = needs[set[i].value];
      if (std::find(below.begin(), below.end(), set[j]) != below.end()) {
        small.needs[i] |= 1U << j;
      }
    }
  }
  return small;
}

}  // namespace

std::vector<ComponentId> start_order(const Needs& needs, std::span<const ComponentId> set,
                                     std::span<const Duration> durations, std::size_t slots) {
  HEARTH_ASSERT(slots > 0);
  const std::vector<Duration> paths = longest_paths(needs, set, durations);
  std::vector<ComponentId> order = by_longest_path(set, paths);
  if (set.size() > planned_exactly_max || set.size() <= slots) return order;

  const Small small = small_set(needs, set, durations, paths);
  Duration work{0};
  for (std::size_t i = 0; i < small.count; ++i) work += small.duration[i];
  Search search{.set = small,
                .slots = slots,
                .lower_bound = std::max(*std::max_element(paths.begin(), paths.end()),
                                        work / static_cast<std::int64_t>(slots)),
                .best = makespan(needs, order, durations, slots),
                .best_order = {},
                .order = {}};
  search.visit(0, 0, Duration{0});
  if (search.best_order.empty()) return order;  // nothing ends sooner
  order.clear();
  for (const unsigned i : search.best_order) order.push_back(set[i]);
  return order;
}

Duration makespan(const Needs& needs, std::span<const ComponentId> order,
                  std::span<const Duration> durations, std::size_t slots) {
  HEARTH_ASSERT(slots > 0);
  std::vector<std::pair<ComponentId, std::size_t>> positions;
  for (std::size_t i = 0; i < order.size(); ++i) positions.emplace_back(order[i], i);
  std::sort(positions.begin(), positions.end());
  std::vector<Mark> marks(order.size());  // open: loading
  std::vector<Duration> ends(order.size());
  const auto is_startable = [&](std::size_t i) {
    return std::ranges::all_of(needs[order[i].value], [&](ComponentId need) {
      const auto found =
          std::lower_bound(positions.begin(), positions.end(), std::pair{need, std::size_t{0}});
      return found == positions.end() || found->first != need || marks[found->second] == Mark::done;
    });
  };

  Duration now{0};
  std::size_t loading = 0;
  for (std::size_t done = 0; done < order.size();) {
    for (std::size_t i = 0; i < order.size() && loading < slots; ++i) {
      if (marks[i] != Mark::unseen || !is_startable(i)) continue;
      marks[i] = Mark::open;
      ends[i] = now + durations[order[i].value];
      ++loading;
    }
    HEARTH_ASSERT(loading > 0);
    now = Duration::max();
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (marks[i] == Mark::open) now = std::min(now, ends[i]);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (marks[i] != Mark::open || ends[i] != now) continue;
      marks[i] = Mark::done;
      --loading;
      ++done;
    }
  }
  return now;
}

}  // namespace hearth

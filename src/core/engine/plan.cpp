#include <algorithm>

#include "core/engine/state.h"
#include "core/graph/graph.h"

namespace hearth {

// In which order what is admitted starts: for a few at once the best order there is, made when
// nothing is loading yet and kept until the set changes; otherwise the longest path goes first.
void Engine::Impl::plan_starts() {
  if (!std::exchange(is_plan_stale, false)) return;
  for (const ComponentId id : admitted) at(id).plan_position = 0;
  if (admitted.size() < 3 || admitted.size() > planned_exactly_max || !loading.empty()) return;

  std::vector<ComponentId> members(admitted.begin(), admitted.end());
  std::ranges::sort(members, [this](ComponentId a, ComponentId b) {
    return std::pair{at(a).rank, a} < std::pair{at(b).rank, b};
  });
  Needs needs(members.size());
  std::vector<Duration> durations;
  std::vector<ComponentId> set;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const Component& c = at(members[i]);
    for (std::uint32_t j = 0; j < i; ++j) {
      if (std::ranges::find(c.needs, members[j]) != c.needs.end()) {
        needs[i].push_back(ComponentId{j});
      }
    }
    durations.push_back(expected_load_time(members[i]));
    set.push_back(ComponentId{i});
  }
  const auto order = start_order(needs, set, durations, configuration.settings.loads_parallel_max);
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    at(members[order[i].value]).plan_position = i + 1;
  }
}

// From where it is: what hibernates is only resumed.
Duration Engine::Impl::expected_load_time(ComponentId id) const {
  const State state = at(id).state;
  if (state == State::hibernated || state == State::resuming) return resuming_takes(id);
  return at(id).load_time > Duration{0} ? at(id).load_time : Duration{1s};
}

}  // namespace hearth

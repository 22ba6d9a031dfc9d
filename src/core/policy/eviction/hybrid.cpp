#include <algorithm>

#include "core/policy/eviction.h"

namespace hearth {
namespace {

constexpr std::size_t uses_max = 0;  // of PolicyState: the most uses that any component has had

// The value of keeping it: recency, frequency, prediction and youth, weighed. The least goes first.
double key(const PolicyState& state, const ComponentPolicyState& /*component*/,
           const EvictionCandidate& candidate, Instant now) {
  const double idle = std::max(0.0, seconds(now - candidate.last_used));
  const double age = std::max(0.0, seconds(now - candidate.loaded_at));
  const double most = std::max(1.0, state.number[uses_max]);
  const double frequency = std::min(1.0, static_cast<double>(candidate.uses) / most);
  return 0.3 / (1.0 + idle / 60.0) + 0.2 * frequency + 0.4 * candidate.predicted +
         0.1 / (1.0 + age / 300.0);
}

void count(PolicyState& state, ComponentPolicyState& /*component*/,
           const EvictionCandidate& candidate, Instant /*now*/) {
  state.number[uses_max] = std::max(state.number[uses_max], static_cast<double>(candidate.uses));
}

}  // namespace

extern const EvictionPolicy eviction_hybrid;
const EvictionPolicy eviction_hybrid{
    .summary = "least value of recency, frequency, prediction and youth first",
    .on_load = count,
    .on_use = count,
    .on_unload = nullptr,
    .key = key,
    .keys_age = true,
};

}  // namespace hearth

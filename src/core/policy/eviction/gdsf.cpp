#include <algorithm>

#include "core/policy/eviction.h"

namespace hearth {
namespace {

// GreedyDual-Size-Frequency (Cherkasova 1998). The inflation L is the key of the last victim: what
// was touched lately starts from it, so that what was worth much long ago does not stay for ever.
constexpr std::size_t inflation = 0;  // of PolicyState
constexpr std::size_t base = 0;       // of ComponentPolicyState: L when it was last touched

double key(const PolicyState& /*state*/, const ComponentPolicyState& component,
           const EvictionCandidate& candidate, Instant /*now*/) {
  const double size_mib = static_cast<double>(std::max<std::uint64_t>(candidate.size.count, 1)) /
                          static_cast<double>((1_MiB).count);
  const double load_s = std::max(0.0, seconds(candidate.load_time));
  return component.number[base] + static_cast<double>(candidate.uses) * load_s / size_mib;
}

void touch(PolicyState& state, ComponentPolicyState& component,
           const EvictionCandidate& /*candidate*/, Instant /*now*/) {
  component.number[base] = state.number[inflation];
}

// L never falls: a victim that was leased while others went may carry an older, smaller key.
void on_unload(PolicyState& state, ComponentPolicyState& component,
               const EvictionCandidate& candidate, bool was_evicted) {
  if (!was_evicted) return;
  state.number[inflation] =
      std::max(state.number[inflation], key(state, component, candidate, Instant{}));
}

}  // namespace

extern const EvictionPolicy eviction_gdsf;
const EvictionPolicy eviction_gdsf{
    .summary = "least use x load time for its size first, ageing by what was evicted",
    .on_load = touch,
    .on_use = touch,
    .on_unload = on_unload,
    .key = key,
    .keys_age = false,
};

}  // namespace hearth

#include <algorithm>

#include "core/policy/eviction.h"

namespace hearth {
namespace {

// The least often used goes first. The last use fills the fraction below one whole use: it decides
// among equals and never outweighs a use.
double key(const PolicyState& /*state*/, const ComponentPolicyState& /*component*/,
           const EvictionCandidate& candidate, Instant /*now*/) {
  constexpr double day = 86'400e9;
  const double last =
      std::max(0.0, static_cast<double>(std::max(candidate.last_used, candidate.loaded_at).ns));
  return static_cast<double>(candidate.uses) + last / (last + day);
}

}  // namespace

extern const EvictionPolicy eviction_lfu;
const EvictionPolicy eviction_lfu{
    .summary = "least often used first, then least recently",
    .on_load = nullptr,
    .on_use = nullptr,
    .on_unload = nullptr,
    .key = key,
    .keys_age = false,
};

}  // namespace hearth

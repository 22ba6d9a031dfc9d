#include <algorithm>

#include "core/policy/eviction.h"

namespace hearth {
namespace {

// The least recently used goes first; being loaded counts as a use, so that what was just brought
// in for someone is not the first to go.
double key(const PolicyState& /*state*/, const ComponentPolicyState& /*component*/,
           const EvictionCandidate& candidate, Instant /*now*/) {
  return static_cast<double>(std::max(candidate.last_used, candidate.loaded_at).ns);
}

}  // namespace

extern const EvictionPolicy eviction_lru;
const EvictionPolicy eviction_lru{
    .summary = "least recently used first",
    .on_load = nullptr,
    .on_use = nullptr,
    .on_unload = nullptr,
    .key = key,
    .keys_age = false,
};

}  // namespace hearth

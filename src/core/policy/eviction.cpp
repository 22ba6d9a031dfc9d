#include "core/policy/eviction.h"

namespace hearth {

const EvictionPolicy* find_eviction_policy(std::string_view name) {
  for (const NamedEvictionPolicy& named : eviction_policies()) {
    if (named.name == name) return named.policy;
  }
  return nullptr;
}

}  // namespace hearth

// Liveness: once the world is healed and quiet, what can be granted is granted.
#include <algorithm>

#include "sim/world.h"

namespace hearth::sim {

// A healed world loads without a fault, in the worst case one after the other: this is ample.
Duration World::patience_for(const std::vector<ComponentId>& asked) const {
  Duration patience = 30s;
  for (const ComponentId id : checker_.closure(asked)) {
    patience += workload_.truth(processes_[id.value].name).load_time * 2;
  }
  return patience;
}

// By the declarations, the learnt bounds and what must stay: nothing is leased or pinned now.
bool World::must_be_granted(const std::vector<ComponentId>& asked) const {
  const auto set = checker_.closure(asked);
  std::vector<ComponentId> lasting;
  for (std::uint32_t i = 0; i < engine_.component_count(); ++i) {
    const ComponentView view = engine_.component(ComponentId{i});
    if (view.priority == Priority::core && !view.is_removed) lasting.push_back(ComponentId{i});
  }
  lasting = checker_.closure(lasting);
  const auto is_in = [](const std::vector<ComponentId>& list, ComponentId id) {
    return std::ranges::find(list, id) != list.end();
  };
  std::vector<ComponentId> all = set;
  for (const ComponentId id : lasting) {
    if (!is_in(all, id)) all.push_back(id);
  }
  const Ledger& ledger = engine_.ledger();
  Bytes ram;
  std::map<std::string, Bytes> pools;
  std::map<std::string, Bytes> devices;
  for (const ComponentId id : all) {
    const ComponentView view = engine_.component(id);
    if (view.is_removed) return false;
    const auto spec = std::ranges::find(configuration_.components, view.name, &Spec::name);
    if (spec == configuration_.components.end()) return false;
    const Bytes bound = std::max(engine_.bound(id), view.reserved);
    ram += bound;
    if (!spec->pool.empty()) pools[spec->pool] += bound;
    for (const ResourceNeed& need : spec->devices) devices[need.resource] += need.bytes;
    for (const ComponentId rival : engine_.conflicts_of(id)) {
      if (is_in(all, rival)) return false;
      // A rival of a higher priority, or with such a dependent, stays where it is.
      const Priority own = view.priority;
      for (std::uint32_t i = 0; i < engine_.component_count(); ++i) {
        const ComponentId other{i};
        const std::array one{other};
        if (!is_in(checker_.closure(one), rival)) continue;
        if (engine_.component(other).priority > own) return false;
      }
    }
  }
  const Settings& settings = engine_.settings();
  if (ram > ledger.budget(ResourceId{0})) return false;
  for (const PoolSpec& pool : settings.pools) {
    if (pools[pool.name] > pool.bytes) return false;
  }
  for (const NamedBytes& device : settings.resources) {
    if (devices[device.name] > device.bytes) return false;
  }
  return true;
}

void World::probe() {
  const std::size_t count = configuration_.components.size();
  for (std::size_t tries = 0; tries < count; ++tries) {
    std::vector<ComponentId> asked;
    const auto first = engine_.find(configuration_.components[probe_next_++ % count].name);
    if (first) asked.push_back(*first);
    if (prng_.chance(0.3)) {
      if (const auto second = pick()) asked.push_back(*second);
    }
    if (asked.empty() || !must_be_granted(asked)) continue;
    const Duration patience = patience_for(asked);
    if (now_ + patience >= probes_end()) return;
    probe_ = ask(Client::probe, asked);
    return step(event::LeaseRequested{.request = probe_,
                                      .components = std::move(asked),
                                      .session = {},
                                      .command = {},
                                      .owner = "probe",
                                      .patience = patience,
                                      .length = 60s});
  }
}

// Core components are back, unless they fell too often of late to be tried again at once.
void World::check_core() {
  if (engine_.now() - faults_.heal_at() < 15min) return;
  for (std::uint32_t i = 0; i < engine_.component_count(); ++i) {
    const ComponentView view = engine_.component(ComponentId{i});
    if (view.priority != Priority::core || view.is_removed) continue;
    const std::array one{ComponentId{i}};
    if (must_be_granted({one.begin(), one.end()}) && !checker_.is_open(ComponentId{i})) {
      checker_.violate("I5", std::string{view.name} + " is core, and is not there");
    }
  }
}

}  // namespace hearth::sim

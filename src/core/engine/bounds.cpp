// What a component takes: before it is loaded by what was learnt and declared, then as measured.
#include <algorithm>

#include "core/engine/state.h"

namespace hearth {

Bytes Engine::Impl::bound(ComponentId id) const {
  const Component& c = at(id);
  const Bytes budget = ledger.budget(ResourceId{});
  const Bytes peak = c.peaks.highest();
  // A few lives below the declaration do not refute it; one above does.
  if (c.spec.memory && !c.peaks.is_settled() && peak <= *c.spec.memory) return *c.spec.memory;
  if (peak > Bytes{}) {
    const Bytes padded = c.peaks.bound();
    // A spike above the budget does not ban what is declared to fit.
    const bool is_capped = peak <= budget || (c.spec.memory && *c.spec.memory <= budget);
    return is_capped ? std::min(padded, budget) : padded;
  }
  return std::min(configuration.settings.unknown_memory, budget);
}

// The same of another resource; what is exclusive is taken whole, and nothing of it is measured.
Bytes Engine::Impl::device_bound(ComponentId id, const ResourceNeed& need, Bytes budget) const {
  const auto found = at(id).devices.find(need.resource);
  if (found == at(id).devices.end()) return need.bytes;
  const LearntPeaks& peaks = found->second;
  if (!peaks.is_settled() && peaks.highest() <= need.bytes) return need.bytes;
  const bool is_capped = peaks.highest() <= budget || need.bytes <= budget;
  return is_capped ? std::min(peaks.bound(), budget) : peaks.bound();
}

// Of the load that has brought it up: a restart may find that one running, whatever it was taken
// for before.
void Engine::Impl::begin_life(ComponentId id) {
  if (std::exchange(at(id).life, at(id).load) == at(id).load) return;
  at(id).peaks.begin();
  for (auto& [resource, peaks] : at(id).devices) peaks.begin();
}

void Engine::Impl::hold_measured(ComponentId id, Bytes measured) {
  if (measured == Bytes{}) return;
  ledger.replace(id, measured);
  at(id).peaks.raise(measured);
}

// The declaration is too low as soon as that is seen, and too high once it is known.
bool Engine::Impl::is_estimate_off(ComponentId id) const {
  const Component& c = at(id);
  if (!c.spec.memory) return false;
  const Bytes declared = *c.spec.memory;
  const Bytes quarter{declared.count / 4};
  const Bytes peak = c.peaks.highest();
  return peak > declared + quarter || (c.peaks.is_settled() && peak < declared - quarter);
}

void Engine::Impl::tell_estimate(ComponentId id) {
  Component& c = at(id);
  if (c.is_estimate_told || !is_estimate_off(id)) return;
  c.is_estimate_told = true;
  record_component(DecisionKind::estimate_off, Reason::none, id);
  decisions.back().bytes = c.peaks.highest();
  decisions.back().other_bytes = *c.spec.memory;
}

// Another declaration may be told of again; another program has to be learnt anew.
void Engine::Impl::note_spec(Component& c, const Spec& before) {
  if (c.spec.memory != before.memory) c.is_estimate_told = false;
  if (c.spec.revision == before.revision) return;
  c.is_estimate_told = false;
  if (c.spec.memory) {
    c.peaks.forget();
  } else {
    c.peaks.doubt();
  }
  c.devices.clear();
}

// False: nothing is new.
bool Engine::Impl::take_measured(ComponentId id, Bytes bytes) {
  if (id.value >= components.size() || bytes == Bytes{}) return false;
  Component& c = at(id);
  const bool is_up =
      c.state == State::ready || c.state == State::closing || c.state == State::draining;
  if (!is_up || (ledger.held(id) == bytes && c.peaks.is_running())) return false;
  ledger.replace(id, bytes);
  c.peaks.raise(bytes);
  tell_estimate(id);
  return true;
}

bool Engine::Impl::take_device(const event::DeviceHeld& held) {
  if (held.component.value >= components.size()) return false;
  const ComponentId id = held.component;
  Component& c = at(id);
  const bool is_up =
      c.state == State::ready || c.state == State::closing || c.state == State::draining;
  const auto& resources = configuration.settings.resources;
  const auto found = std::ranges::find(resources, held.resource, &NamedBytes::name);
  if (!is_up || found == resources.end()) return false;
  // Who takes all of it has it alone, however little it uses.
  const auto need = std::ranges::find(c.spec.devices, held.resource, &ResourceNeed::resource);
  if (need != c.spec.devices.end() && need->bytes >= found->bytes) return false;
  const ResourceId resource{static_cast<std::uint16_t>(found - resources.begin() + 1)};
  const auto& others = ledger.demand_of(id).others;
  const auto place = std::ranges::find(others, resource, &std::pair<ResourceId, Bytes>::first);
  const bool is_there = place != others.end();
  // What it was not to take and does not take is no news.
  if (!is_there && held.bytes == Bytes{}) return false;
  if (is_there && place->second == held.bytes) return false;
  ledger.replace(id, resource, held.bytes);
  c.devices[held.resource].raise(held.bytes);
  return true;
}

}  // namespace hearth

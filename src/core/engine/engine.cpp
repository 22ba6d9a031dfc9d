#include "core/engine/engine.h"

#include <algorithm>

#include "base/limits.h"
#include "core/engine/state.h"

namespace hearth {

void Engine::Impl::step(const Event& event, std::vector<Action>& actions) {
  out = &actions;
  ++totals.steps;
  now = std::max(now, event.at);
  // What has happened comes before what is due: a load that is done is not too late because the
  // machine slept, and what a command asks for is not closed for idleness in the same breath.
  dispatch(event);
  fire_due();
  if (is_dirty) settle();
  flush_record();
  arm_shell();
  out = nullptr;
}

void Engine::Impl::dispatch(const Event& event) {
  std::visit([this](const auto& what) { on(what); }, event.what);
}

// Everything that is not stored is made again from what is.
void Engine::Impl::rebuild_derived() {
  policy = find_eviction_policy(configuration.settings.policy);
  HEARTH_ASSERT(policy != nullptr);
  by_name.clear();
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    by_name.emplace(components[i].spec.name, ComponentId{i});
  }
  number_pools();
  index_commands();
  rebuild_graph();
  queue.clear();
  for (const auto& [id, request] : requests) {
    queue.emplace(static_cast<Priority>(3 - static_cast<int>(request.priority)), request.sequence,
                  id);
    arm(TimerKind::request, id.value, request.deadline);
  }
  for (const auto& [id, lease] : leases) arm(TimerKind::lease, id.value, lease.until);
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const Component& component = components[i];
    arm(TimerKind::load, i, component.load_deadline);
    if (component.retry_at > now) arm(TimerKind::retry, i, component.retry_at);
  }
  arm(TimerKind::drain, 0, drain_until);
  has_next_specs =
      std::ranges::any_of(components, [](const Component& c) { return c.next_spec.has_value(); });
  recount();
}

// Stored bytes passed their checksum, yet a damaged or hostile snapshot must not crash a step.
bool Engine::Impl::is_consistent() const {
  if (find_eviction_policy(configuration.settings.policy) == nullptr) return false;
  if (!gauge.is_consistent(now) || !ledger.is_consistent() || components.size() > components_max)
    return false;
  const Settings& settings = configuration.settings;
  if (settings.loads_parallel_max == 0 ||
      !ledger.has_shape(settings.resources.size(), settings.pools.size())) {
    return false;
  }
  std::set<std::string_view> names;
  for (const Component& component : components) {
    if (!names.insert(component.spec.name).second) return false;
  }
  const auto known = [&](ComponentId id) { return id.value < components.size(); };
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const Component& c = components[i];
    if (is_resident(c.state) && !ledger.holds(ComponentId{i})) return false;
    if (!c.peaks.is_consistent() ||
        !std::ranges::all_of(c.devices, [](const auto& one) { return one.second.is_consistent(); }))
      return false;
    const bool is_at_work = c.state == State::loading || c.state == State::unloading ||
                            c.state == State::hibernating || c.state == State::resuming;
    if (is_at_work && !c.work) return false;
    if (c.is_waking && c.state != State::hibernated) return false;
    if (!(c.freed_share >= 0 && c.freed_share <= 1) || c.asleep > Bytes::unlimited()) return false;
    // A key that is no number would have no place in an order.
    if (!(c.idle_key > -1e300 && c.idle_key < 1e300)) return false;
    if ((c.unload_for && !known(*c.unload_for)) || (c.displacer && !known(*c.displacer)))
      return false;
  }
  for (const auto& [id, request] : requests) {
    if (!std::ranges::all_of(request.asked, known) ||
        !std::ranges::all_of(request.closure, known) || !std::ranges::all_of(request.cold, known) ||
        !std::ranges::all_of(request.leaving, known) || request.id != id ||
        (request.hindrance != Reason::none && !(known(request.hindered) && known(request.rival))) ||
        (request.asked.empty() && request.kind != WantKind::unload)) {
      return false;
    }
  }
  for (const auto& [id, lease] : leases) {
    if (!std::ranges::all_of(lease.components, known) || lease.id != id) return false;
  }
  for (const auto& [due, kind, id] : timers) {
    const bool is_of_component =
        kind == TimerKind::load || kind == TimerKind::retry || kind == TimerKind::idle;
    if (is_of_component && id >= components.size()) return false;
  }
  return true;
}

Engine::Engine() : impl_(std::make_unique<Impl>()) {
  impl_->rebuild_derived();
  impl_->apply_settings();
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::step(const Event& event, std::vector<Action>& actions) { impl_->step(event, actions); }

std::vector<std::byte> Engine::snapshot() const {
  Writer writer;
  writer(version, *impl_);
  return writer.take();
}

Result<Engine> Engine::restore(std::span<const std::byte> bytes) {
  Reader reader{bytes};
  std::uint32_t stored = 0;
  reader(stored);
  if (!reader.ok() || stored != version) {
    return fail(Errc::corrupt, "snapshot: it is of another version of the engine");
  }
  Engine engine;
  *engine.impl_ = Impl{};
  reader(*engine.impl_);
  if (!reader.ok() || !reader.at_end() || !engine.impl_->is_consistent()) {
    return fail(Errc::corrupt, "snapshot: its bytes are damaged");
  }
  const std::set<ComponentId> kept_dirty = engine.impl_->kept_dirty;
  if (!std::ranges::all_of(
          kept_dirty, [&](ComponentId id) { return id.value < engine.impl_->components.size(); })) {
    return fail(Errc::corrupt, "snapshot: its bytes are damaged");
  }
  engine.impl_->rebuild_derived();
  engine.impl_->kept_dirty = kept_dirty;
  engine.impl_->is_dirty = false;
  return engine;
}

std::size_t Engine::component_count() const { return impl_->components.size(); }

ComponentView Engine::component(ComponentId id) const {
  HEARTH_ASSERT(id.value < impl_->components.size());
  const Component& c = impl_->at(id);
  return {.id = id,
          .name = c.spec.name,
          .state = c.state,
          .priority = c.spec.priority,
          .is_pinned = c.is_pinned,
          .is_removed = c.is_removed,
          .is_admitted = impl_->admitted.contains(id),
          .is_idle = c.is_in_idle,
          .is_preload = c.is_preload,
          .load = c.load,
          .reserved = impl_->ledger.held(id),
          .peak = c.peaks.highest(),
          .bound = impl_->bound(id),
          .is_estimate_off = impl_->is_estimate_off(id),
          .declared = c.spec.memory.value_or(Bytes{}),
          .load_time = c.load_time,
          .resume_time = c.resume_time,
          .freed_share = c.freed_share,
          .leases = c.leases,
          .uses = c.uses,
          .loads = c.loads,
          .unloads = c.unloads,
          .failures = c.failures,
          .warm_uses = c.warm_uses,
          .last_used = c.last_used,
          .loaded_at = c.loaded_at,
          .retry_at = c.retry_at,
          .probability = c.probability_of == impl_->command_count ? c.probability : 0.0};
}

std::optional<ComponentId> Engine::find(std::string_view name) const {
  const auto found = impl_->by_name.find(name);
  if (found == impl_->by_name.end() || impl_->at(found->second).is_removed) return std::nullopt;
  return found->second;
}

std::span<const ComponentId> Engine::needs_of(ComponentId id) const { return impl_->at(id).needs; }
std::span<const ComponentId> Engine::conflicts_of(ComponentId id) const {
  return impl_->at(id).conflicts;
}
Bytes Engine::bound(ComponentId id) const { return impl_->bound(id); }

std::vector<LeaseView> Engine::leases() const {
  std::vector<LeaseView> views;
  views.reserve(impl_->leases.size());
  for (const auto& [id, lease] : impl_->leases) {
    views.push_back({.id = id,
                     .owner = lease.owner,
                     .command = lease.command,
                     .session = lease.session,
                     .granted_at = lease.granted_at,
                     .until = lease.until,
                     .is_preemptible = lease.is_preemptible,
                     .components = lease.components});
  }
  return views;
}

std::size_t Engine::waiting() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      impl_->requests, [](const auto& entry) { return entry.second.has_reply; }));
}
bool Engine::is_anybody_waiting() const {
  return !impl_->requests.empty() || !impl_->draining.empty() || impl_->is_shutting_down;
}
const Ledger& Engine::ledger() const { return impl_->ledger; }
Pressure Engine::pressure() const { return impl_->pressure; }
bool Engine::saves_power() const { return impl_->saves_power; }
Bytes Engine::available() const { return impl_->gauge.available(); }
const PressureGauge& Engine::gauge() const { return impl_->gauge; }
std::optional<Forecast> Engine::forecast() const { return impl_->forecast(); }
Duration Engine::next_look() const {
  return impl_->gauge.next_look(impl_->configuration.settings.pressure);
}
const Settings& Engine::settings() const { return impl_->configuration.settings; }
const Totals& Engine::totals() const { return impl_->totals; }
Instant Engine::now() const { return impl_->now; }
bool Engine::is_shutting_down() const { return impl_->is_shutting_down; }

std::vector<Decision> Engine::decisions() const {
  return {impl_->decisions.begin(), impl_->decisions.end()};
}

std::vector<event::Learnt> Engine::learnt() const {
  std::vector<event::Learnt> list;
  for (const Component& c : impl_->components) {
    if (c.peaks.highest() == Bytes{} && c.devices.empty()) continue;
    event::Learnt learnt{
        .name = c.spec.name, .lives = c.peaks.lives(), .load_time = c.load_time, .devices = {}};
    for (const auto& [resource, peaks] : c.devices) {
      learnt.devices.push_back({.resource = resource, .lives = peaks.lives()});
    }
    list.push_back(std::move(learnt));
  }
  return list;
}

}  // namespace hearth

#include <algorithm>

#include "base/limits.h"
#include "core/engine/state.h"
#include "core/graph/graph.h"

namespace hearth {
namespace {

// A change here needs a restart; a change of anything else takes effect at once.
bool is_same_life(const Spec& a, const Spec& b) {
  return a.needs == b.needs && a.conflicts == b.conflicts && a.revision == b.revision &&
         a.devices == b.devices && a.pool == b.pool;
}

// Where each of `before` stands in `after`, both counted from 1; 0: not any more.
template <class Named>
std::vector<std::uint16_t> numbers_of(const std::vector<Named>& before,
                                      const std::vector<Named>& after) {
  std::vector<std::uint16_t> numbers{0};
  for (const Named& one : before) {
    const auto found = std::ranges::find(after, one.name, &Named::name);
    const auto place = found == after.end() ? 0 : found - after.begin() + 1;
    numbers.push_back(static_cast<std::uint16_t>(place));
  }
  return numbers;
}

}  // namespace

void Engine::Impl::on(const event::Configured& event) {
  const Configuration& next = event.configuration;
  if (next == configuration) return;
  // Names that are gone keep their ids: what is known of them is theirs if they come back.
  const auto fresh = std::ranges::count_if(
      next.components, [this](const Spec& spec) { return !by_name.contains(spec.name); });
  if (components.size() + static_cast<std::size_t>(fresh) > components_max) return;
  const bool is_first = configuration.components.empty();
  const Settings before = std::exchange(configuration, next).settings;
  if (find_eviction_policy(next.settings.policy) == nullptr) {
    configuration.settings.policy = before.policy;
  }
  ledger.renumber(numbers_of(before.pools, next.settings.pools),
                  numbers_of(before.resources, next.settings.resources));
  apply_settings();
  is_told_stuck = false;
  // What is admitted and not started is admitted anew, by the bounds as they are now.
  for (const ComponentId id : IdSet(admitted)) withdraw(id);
  drop_lasting_keeps({});
  record(DecisionKind::configured, Reason::none).figure =
      static_cast<double>(next.components.size());

  std::set<std::string_view> named;
  for (const Spec& spec : next.components) {
    named.insert(spec.name);
    const auto found = by_name.find(spec.name);
    if (found == by_name.end()) {
      const ComponentId id{static_cast<std::uint32_t>(components.size())};
      components.emplace_back().spec.name = spec.name;
      components.back().next_spec = spec;
      by_name.emplace(spec.name, id);
      continue;
    }
    Component& c = at(found->second);
    c.is_removed = false;
    if (is_same_life(c.spec, spec) && !c.next_spec) {
      note_spec(c, std::exchange(c.spec, spec));
    } else {
      c.next_spec = spec;
    }
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const ComponentId id{i};
    Component& c = components[i];
    if (!named.contains(c.spec.name)) c.is_removed = true;
    if (is_engaged(id) && (c.is_removed || c.next_spec)) {
      c.restarts = !c.is_removed && is_resident(c.state) && is_present(id);
      drain(id, c.is_removed ? Reason::removed : Reason::restart);
    }
    if (!is_first && !c.is_removed && c.next_spec && !c.next_spec->is_lazy) c.is_eager_done = false;
    note_keep(id);
  }
  apply_next_specs();
  rearm_idle();
  is_dirty = true;
}

void Engine::Impl::on(const event::LearntBefore& event) {
  for (const event::Learnt& learnt : event.components) {
    const auto found = by_name.find(learnt.name);
    if (found == by_name.end()) continue;
    Component& c = at(found->second);
    c.peaks.learn(learnt.lives);
    for (const event::LearntDevice& device : learnt.devices) {
      c.devices[device.resource].learn(device.lives);
    }
    if (c.load_time == Duration{0} && learnt.load_time > Duration{0})
      c.load_time = learnt.load_time;
  }
}

void Engine::Impl::apply_settings() {
  const Settings& settings = configuration.settings;
  if (const EvictionPolicy* found = find_eviction_policy(settings.policy); found != policy) {
    if (found != nullptr) policy = found;
    policy_state = {};
    for (Component& c : components) c.policy = {};
  }
  std::vector<Bytes> budgets{settings.budget};
  for (const NamedBytes& resource : settings.resources) budgets.push_back(resource.bytes);
  std::vector<Ledger::Pool> pools{{.size = Bytes::unlimited(), .is_hard = false}};
  for (const PoolSpec& pool : settings.pools) {
    pools.push_back({.size = pool.bytes, .is_hard = pool.is_hard});
  }
  number_pools();
  ledger.set_budgets(std::move(budgets), std::move(pools));
}

void Engine::Impl::number_pools() {
  pool_ids.clear();
  for (const PoolSpec& pool : configuration.settings.pools) {
    pool_ids.emplace_back(pool.name, PoolId{static_cast<std::uint16_t>(pool_ids.size() + 1)});
  }
}

// New specs of what holds nothing take effect together, unless that would close a circle with the
// old ones of what is still there: then one by one, and the rest waits for the next that is gone.
void Engine::Impl::apply_next_specs() {
  std::vector<std::pair<std::uint32_t, Spec>> applied;
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    Component& c = components[i];
    if (!c.next_spec || is_engaged(ComponentId{i})) continue;
    applied.emplace_back(i, std::exchange(c.spec, *std::exchange(c.next_spec, std::nullopt)));
    c.attempt = 0;
  }
  rebuild_graph();
  Needs needs;
  for (const Component& c : components) needs.push_back(c.needs);
  if (!find_cycle(needs).empty()) {
    for (auto& [i, old] : applied) {
      components[i].next_spec = std::exchange(components[i].spec, std::move(old));
    }
    rebuild_graph();
  } else {
    for (const auto& [i, old] : applied) note_spec(components[i], old);
  }
  recount();
  for (const auto& [i, old] : applied) note_keep(ComponentId{i});
  has_next_specs =
      std::ranges::any_of(components, [](const Component& c) { return c.next_spec.has_value(); });
  is_dirty = true;
}

// needs, dependents, conflicts, closures and ranks from the specs in force.
void Engine::Impl::rebuild_graph() {
  Needs needs(components.size());
  for (std::size_t i = 0; i < components.size(); ++i) {
    for (const std::string& name : components[i].spec.needs) {
      const auto found = by_name.find(name);
      if (found != by_name.end()) needs[i].push_back(found->second);
    }
    std::ranges::sort(needs[i]);
    needs[i].erase(std::ranges::unique(needs[i]).begin(), needs[i].end());
    components[i].conflicts.clear();
  }
  const Needs above = dependents(needs);
  const bool is_acyclic = find_cycle(needs).empty();
  const auto ranks =
      is_acyclic ? topological_ranks(needs) : std::vector<std::uint32_t>(components.size(), 0);
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    Component& c = components[i];
    c.needs = needs[i];
    c.dependents = above[i];
    c.rank = ranks[i];
    for (const std::string& name : c.spec.conflicts) {
      const auto found = by_name.find(name);
      if (found == by_name.end() || found->second.value == i) continue;
      c.conflicts.push_back(found->second);
      at(found->second).conflicts.push_back(ComponentId{i});
    }
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    Component& c = components[i];
    std::ranges::sort(c.conflicts);
    c.conflicts.erase(std::ranges::unique(c.conflicts).begin(), c.conflicts.end());
    const std::array roots{ComponentId{i}};
    c.closure = is_acyclic ? closure(needs, roots) : std::vector{ComponentId{i}};
  }
  for (auto& [id, request] : requests) {
    if (request.kind != WantKind::unload) request.closure = closure_of(request.asked);
  }
  defaults.clear();
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    if (components[i].spec.is_default) defaults.push_back(ComponentId{i});
  }
}

// Counters and ordered sets that follow from states, reservations, leases and requests.
void Engine::Impl::recount() {
  idle.clear();
  admitted.clear();
  loading.clear();
  leaving.clear();
  draining.clear();
  answering.clear();
  preemptible_leases = 0;
  work.clear();
  for (Component& c : components) {
    c.engaged_dependents = 0;
    c.wanted = 0;
    c.claimed = 0;
    c.leases = 0;
    c.preemptible_leases = 0;
    c.answer_leases = 0;
    c.fast_leases = 0;
  }
  for (const auto& [id, lease] : leases) {
    if (lease.is_preemptible) ++preemptible_leases;
    for (const ComponentId component : lease.components) {
      ++at(component).leases;
      if (lease.is_preemptible) ++at(component).preemptible_leases;
      if (lease.ends_with_answer && at(component).answer_leases++ == 0) answering.insert(component);
      if (lease.is_fast) ++at(component).fast_leases;
    }
  }
  unload_requests = 0;
  for (const auto& [id, request] : requests) {
    if (request.kind == WantKind::unload) ++unload_requests;
    if (request.kind == WantKind::unload) continue;
    for (const ComponentId component : request.closure) {
      ++at(component).wanted;
      if (has_claim(request)) ++at(component).claimed;
    }
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const ComponentId id{i};
    const Component& c = at(id);
    if (c.work) work.emplace(c.work, id);
    if (c.state == State::loading || c.state == State::resuming) loading.insert(id);
    const bool is_leaving =
        c.state == State::closing || c.state == State::unloading || c.state == State::hibernating;
    if (is_leaving) leaving.insert(id);
    if (c.state == State::draining) draining.insert(id);
    if (!is_engaged(id)) continue;
    if (!is_resident(c.state) || c.is_waking) admitted.insert(id);
    for (const ComponentId need : c.needs) ++at(need).engaged_dependents;
  }
  // What was idle and still is keeps its key and its deadline: both are of when it became so.
  for (std::uint32_t i = 0; i < components.size(); ++i) {
    const ComponentId id{i};
    if (!at(id).is_in_idle) continue;
    if (!can_be_idle(id)) {
      drop_idle(id);
      continue;
    }
    idle.emplace(at(id).spec.priority, at(id).idle_key, id);
    arm(TimerKind::idle, i, at(id).idle_deadline);
  }
  for (std::uint32_t i = 0; i < components.size(); ++i) refresh_idle(ComponentId{i});
}

}  // namespace hearth

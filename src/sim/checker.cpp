#include "sim/checker.h"

#include <algorithm>
#include <array>

namespace hearth::sim {

std::string megabytes(Bytes bytes) {
  return std::to_string(bytes.count >> 20) + " MiB (" + std::to_string(bytes.count) + ")";
}

void Checker::violate(std::string invariant, std::string text) {
  if (violation_) return;
  violation_ = Violation{std::move(invariant), std::move(text), steps_, now_};
}

std::string Checker::name(ComponentId id) const {
  return id.value < models_.size() ? models_[id.value].spec.name
                                   : "component " + std::to_string(id.value);
}

void Checker::touch(ComponentId id) {
  if (id.value < models_.size() && std::ranges::find(touched_, id) == touched_.end()) {
    touched_.push_back(id);
  }
}

std::vector<ComponentId> Checker::closure(std::span<const ComponentId> asked) const {
  std::vector<ComponentId> found;
  std::vector<ComponentId> open(asked.begin(), asked.end());
  while (!open.empty()) {
    const ComponentId id = open.back();
    open.pop_back();
    if (id.value >= models_.size() || std::ranges::find(found, id) != found.end()) continue;
    found.push_back(id);
    open.insert(open.end(), at(id).needs.begin(), at(id).needs.end());
  }
  std::ranges::sort(found);
  return found;
}

bool Checker::is_resident(ComponentId id) const {
  return id.value < models_.size() && at(id).phase == Phase::resident;
}
bool Checker::is_open(ComponentId id) const {
  return is_resident(id) && at(id).gate == Gate::open && !at(id).is_barred;
}

void Checker::before(const Event& event, const Engine& engine) {
  std::vector<ComponentId> asked;
  if (const auto* command = std::get_if<event::CommandReceived>(&event.what)) {
    for (const Intent& intent : command->intents) asked.push_back(intent.component);
  } else if (const auto* lease = std::get_if<event::LeaseRequested>(&event.what)) {
    asked = lease->components;
  } else if (const auto* load = std::get_if<event::LoadRequested>(&event.what)) {
    asked.push_back(load->component);
  } else {
    return;
  }
  for (const ComponentId id : closure(asked)) {
    at(id).is_draining = engine.component(id).state == State::draining;
  }
}

void Checker::apply(const Event& event, std::span<const Action> actions) {
  ++steps_;
  const Instant before = now_;
  now_ = std::max(now_, event.at);
  if (now_ - before > 1s) {
    // The machine slept: whose time was over meanwhile is let go only now.
    for (Model& model : models_) {
      if (model.busy_until > before && model.busy_until <= now_) model.idle_since = now_;
    }
  }
  touched_.clear();
  started_.clear();
  pushed_.clear();
  immediate_.clear();
  gates_owed_.clear();
  gates_released_.clear();
  has_relief_ = false;
  unrelieved_.reset();
  is_sample_ = false;
  has_restored_ = false;
  std::visit([this](const auto& what) { on(what); }, event.what);
  for (const Action& action : actions) {
    std::visit([this](const auto& what) { on(what); }, action);
  }
  end_of_step();
}

void Checker::end_of_step() {
  for (const RequestId id : immediate_) {
    if (requests_.contains(id)) {
      violate("I4", "request " + std::to_string(id.value) + " got no reply in its own step");
    }
  }
  if (!deadlines_.empty()) {
    const Instant first = *deadlines_.begin();
    if (first < now_) violate("I4", "a request waits past its deadline");
    if (armed_ > first) violate("I4", "no timer is armed for the deadline of a request");
  }
  if (!lease_ends_.empty()) {
    const Instant first = *lease_ends_.begin();
    if (first < now_) violate("I4", "a lease lasts past its end");
    if (armed_ > first) violate("I4", "no timer is armed for the end of a lease");
  }
  for (const auto& [work, id] : loads_) {
    if (at(id).is_cancelled || is_shutting_down_) continue;
    if (at(id).load_due < now_) violate("I4", "the load of " + name(id) + " is never cancelled");
    if (armed_ > at(id).load_due) violate("I4", "no timer is armed for the load of " + name(id));
  }
  std::ranges::sort(gates_owed_);
  std::ranges::sort(gates_released_);
  if (gates_owed_ != gates_released_) {
    violate("I4", "the gates released are not those of the fast leases that ended");
  }
  check_budgets();
  check_relief();
}

std::size_t Checker::budget_count() const {
  return 1 + settings_.resources.size() + settings_.pools.size();
}

Bytes Checker::budget_of(std::size_t budget) const {
  if (budget == 0) return settings_.budget;
  const std::size_t resources = settings_.resources.size();
  if (budget <= resources) return settings_.resources[budget - 1].bytes;
  const PoolSpec& pool = settings_.pools[budget - 1 - resources];
  return pool.is_hard ? pool.bytes : settings_.budget;
}

Bytes Checker::used_of(std::size_t budget) const {
  if (budget == 0) return ram_used_;
  const std::size_t resources = settings_.resources.size();
  if (budget <= resources) return others_used_[budget - 1];
  return pools_used_[budget - resources];
}

bool Checker::holds_in(const Model& model, std::size_t budget) const {
  if (model.phase == Phase::gone) return false;
  if (budget == 0) return true;
  const std::size_t resources = settings_.resources.size();
  if (budget > resources) return model.held.pool == budget - resources;
  return budget - 1 < model.held.others.size() && model.held.others[budget - 1] > Bytes{};
}

// I1: what was started fits, and what does not fit any more is being mended.
void Checker::check_budgets() {
  const std::size_t count = budget_count();
  was_over_.resize(count, false);
  for (std::size_t budget = 0; budget < count; ++budget) {
    const bool is_over = used_of(budget) > budget_of(budget);
    if (is_over) {
      for (const ComponentId id : started_) {
        if (!holds_in(at(id), budget)) continue;
        violate("I1", "a load of " + name(id) + " starts with " + megabytes(used_of(budget)) +
                          " reserved of " + megabytes(budget_of(budget)));
      }
      const auto is_mended = [&](const Model& model) {
        return is_leaving(model) && holds_in(model, budget);
      };
      if (!was_over_[budget] && !has_relief_ && std::ranges::none_of(models_, is_mended)) {
        unrelieved_ = budget;
      }
    }
    was_over_[budget] = is_over;
  }
}

bool Checker::is_leaving(const Model& model) const {
  const bool is_coming = model.phase == Phase::loading || model.phase == Phase::waking;
  return model.phase == Phase::unloading || model.phase == Phase::falling_asleep ||
         (is_coming && model.is_cancelled) ||
         (model.phase == Phase::resident && model.gate != Gate::open);
}

bool Checker::is_anything_leaving() const {
  return std::ranges::any_of(models_, [this](const Model& m) { return is_leaving(m); });
}

// One that came up over this life of it: what lost its need and is on its way out counts no more.
bool Checker::has_live_dependent(ComponentId id) const {
  for (const Model& model : models_) {
    if (model.phase == Phase::gone) continue;
    const auto& then = model.needs_at_load;
    const auto place = std::ranges::find(then, id);
    if (place == then.end() || std::ranges::find(model.needs, id) == model.needs.end()) continue;
    if (model.need_lives[static_cast<std::size_t>(place - then.begin())] == at(id).load)
      return true;
  }
  return false;
}

bool Checker::is_evictable(ComponentId id) const {
  const Model& model = at(id);
  if (model.phase != Phase::resident || model.gate != Gate::open || model.leases > 0) return false;
  if (now_ <= model.busy_until) return false;
  if (model.is_kept_by_pin || model.spec.priority == Priority::core) return false;
  const bool is_needed = std::ranges::any_of(models_, [&](const Model& other) {
    return std::ranges::find(other.needs, id) != other.needs.end() ||
           std::ranges::find(other.needs_at_load, id) != other.needs_at_load.end();
  });
  if (is_needed) return false;
  return std::ranges::none_of(requests_, [&](const auto& entry) {
    const auto& members = entry.second.components;
    return std::ranges::find(members, id) != members.end();
  });
}

// I5: critical pressure leads to an unload or to "nothing evictable" within one sample.
void Checker::check_relief() {
  has_relief_since_ = has_relief_since_ || has_relief_;
  if (!is_sample_) return;
  if (plain_pressure_ < Pressure::critical) {
    critical_samples_ = 0;
    // The engine's level ends a little above, and until then it has told.
    if (pressure_ < Pressure::critical) was_told_stuck_ = false;
    has_relief_since_ = false;
    return;
  }
  bool has_evictable = false;
  for (std::uint32_t i = 0; i < models_.size() && !has_evictable; ++i) {
    has_evictable = is_evictable(ComponentId{i});
  }
  const bool is_answered = has_relief_since_ || is_anything_leaving() || is_shutting_down_ ||
                           (was_told_stuck_ && !has_evictable);
  critical_samples_ = is_answered ? 0 : critical_samples_ + 1;
  has_relief_since_ = false;
  if (critical_samples_ >= 2) {
    violate("I5", "critical pressure for two samples without an unload or a word");
  }
}

void Checker::hold(ComponentId id, Demand demand) {
  release(id);
  ram_used_ += demand.ram;
  if (demand.pool > 0) pools_used_[demand.pool] += demand.ram;
  for (std::size_t i = 0; i < demand.others.size(); ++i) others_used_[i] += demand.others[i];
  at(id).held = std::move(demand);
}

void Checker::set_ram(ComponentId id, Bytes ram) {
  Demand demand = at(id).held;
  demand.ram = ram;
  hold(id, std::move(demand));
}

void Checker::begin_life(Model& model) {
  if (std::exchange(model.life, model.load) != model.load) model.is_measured = false;
}

void Checker::note_peak(Model& model, Bytes ram) {
  if (ram == Bytes{}) return;
  if (!std::exchange(model.is_measured, true)) {
    model.lives.push_back(ram);
    if (model.lives.size() > 20) model.lives.erase(model.lives.begin());
  }
  model.lives.back() = std::max(model.lives.back(), ram);
}

void Checker::release(ComponentId id) {
  Demand& held = at(id).held;
  ram_used_ -= held.ram;
  if (held.pool > 0) pools_used_[held.pool] -= held.ram;
  for (std::size_t i = 0; i < held.others.size(); ++i) others_used_[i] -= held.others[i];
  held = Demand{};
}

void Checker::add_lease(LeaseId id, Lease lease) {
  for (const ComponentId component : lease.components) {
    ++at(component).leases;
    touch(component);
  }
  lease_ends_.insert(lease.until);
  if (lease.request) granted_.emplace(lease.request, id);
  if (!leases_.emplace(id, std::move(lease)).second) {
    violate("I4", "lease " + std::to_string(id.value) + " is given twice");
  }
}

void Checker::end_lease(LeaseId id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return;
  for (const ComponentId component : found->second.components) {
    --at(component).leases;
    at(component).idle_since = now_;
    touch(component);
    if (found->second.is_fast) gates_owed_.push_back(component);
  }
  granted_.erase(found->second.request);
  lease_ends_.erase(lease_ends_.find(found->second.until));
  leases_.erase(found);
}

void Checker::compare(const Engine& engine) {
  const std::uint64_t told = engine.totals().commands;
  if (!commands_) commands_ = told;
  if (*commands_ != told) {
    violate("I4", std::to_string(*commands_) + " commands came, " + std::to_string(told) +
                      " are counted");
    commands_ = told;
  }
  if (engine.now() != now_) violate("I6", "the engine's clock is not the largest time it was told");
  // It may lag behind a little on the way down, and never on the way up.
  const Pressure pressure = engine.pressure();
  const bool is_above = pressure > std::max(pressure_, plain_pressure_) && !is_suffering_;
  if (pressure < plain_pressure_ || is_above) {
    violate("I5", "the pressure is not that of the last sample");
  }
  pressure_ = pressure;
  if (unrelieved_) {
    const std::size_t budget = *unrelieved_;
    bool is_draining = false;
    for (std::uint32_t i = 0; i < models_.size(); ++i) {
      const bool drains = engine.component(ComponentId{i}).state == State::draining;
      is_draining = is_draining || (drains && holds_in(models_[i], budget));
    }
    if (!is_draining) {
      violate("I1", "budget " + std::to_string(budget) + " went over, to " +
                        megabytes(used_of(budget)) + " of " + megabytes(budget_of(budget)) +
                        ", without relief or a word");
    }
  }
  for (const ComponentId id : touched_) compare_one(id, engine);
  compare_sums(engine, false);
  check_borrowers(engine);
}

// I1: what is in a pool within its size does not go for what is larger than its own soft pool, and
// so borrows whatever else there is, unless that is of higher priority. Who asked, with what beside
// it, is not told: where somebody waits for more of that pool, or of one that what goes needs
// something of, or is of higher priority, nothing is said.
void Checker::check_borrowers(const Engine& engine) {
  for (const auto& [victim, asker] : pushed_) {
    const std::size_t own = pool_of(at(asker).spec);
    const std::size_t pool = at(victim).held.pool;
    if (own == 0 || pool == 0 || own == pool || settings_.pools[own - 1].is_hard) continue;
    // Of a device there may be too little, which what it needs may hold, and that is nobody's pool.
    const std::array one{victim};
    const std::vector<ComponentId> going = closure(one);
    const auto has_device = [this](ComponentId id) {
      return std::ranges::any_of(at(id).held.others, [](Bytes held) { return held > Bytes{}; });
    };
    if (std::ranges::any_of(going, has_device)) continue;
    if (engine.bound(asker) <= settings_.pools[own - 1].bytes) continue;
    const auto used = engine.ledger().pool_used(PoolId{static_cast<std::uint16_t>(pool)});
    if (used > settings_.pools[pool - 1].bytes) continue;
    // What goes after what needs it was chosen earlier, when its pool held that too.
    const bool is_needed = std::ranges::any_of(models_, [&](const Model& other) {
      return std::ranges::find(other.needs, victim) != other.needs.end() ||
             std::ranges::find(other.needs_at_load, victim) != other.needs_at_load.end();
    });
    if (is_needed) continue;
    const Priority priority = at(victim).spec.priority;
    const bool may_be = std::ranges::any_of(requests_, [&](const auto& entry) {
      const auto members = closure(entry.second.asked);
      return std::ranges::any_of(members, [&](ComponentId id) {
        const std::size_t wanted = pool_of(at(id).spec);
        const bool is_missing = at(id).phase == Phase::gone || at(id).phase == Phase::asleep;
        const bool is_own =
            wanted != 0 && is_missing && std::ranges::any_of(going, [&](ComponentId member) {
              return pool_of(at(member).spec) == wanted;
            });
        return is_own || at(id).spec.priority > priority;
      });
    });
    // What has to be there always, or is brought back with what needs it, asks in nobody's name; of
    // who does not wait for it nobody knows any more what else they asked for.
    const bool is_asked = is_demanded(asker) && !is_lasting(asker) && at(asker).busy_until < now_ &&
                          std::ranges::none_of(
                              models_,
                              [&](const Model& other) {
                                return std::ranges::find(other.needs, asker) != other.needs.end();
                              });
    if (may_be || !is_asked) continue;
    violate("I1", name(victim) + " is within its pool and goes for " + name(asker) +
                      ", which borrows and is of no higher priority");
  }
}

void Checker::compare_one(ComponentId id, const Engine& engine) {
  Model& model = at(id);
  const ComponentView view = engine.component(id);
  model.is_draining = view.state == State::draining;
  const auto wrong = [&](const std::string& invariant, const std::string& what) {
    violate(invariant, name(id) + " is " + std::string{name_of(view.state)} + ": " + what);
  };
  const bool is_up =
      view.state == State::ready || view.state == State::draining || view.state == State::closing;
  if (is_up != (model.phase == Phase::resident))
    wrong("I2", "the model has it up, or not, against it");
  if ((view.state == State::loading) != (model.phase == Phase::loading)) {
    wrong("I4", "a load begins and ends with its actions only");
  }
  if ((view.state == State::unloading) != (model.phase == Phase::unloading)) {
    wrong("I4", "an unload begins and ends with its actions only");
  }
  const bool is_as_told =
      (view.state == State::hibernating) == (model.phase == Phase::falling_asleep) &&
      (view.state == State::hibernated) == (model.phase == Phase::asleep) &&
      (view.state == State::resuming) == (model.phase == Phase::waking);
  if (!is_as_told) wrong("I4", "it hibernates and resumes with its actions only");
  if (is_up && (view.state == State::closing) != (model.gate != Gate::open)) {
    wrong("I2", "its gate is not as its state says");
  }
  if (model.is_barred && view.state == State::ready && !is_shutting_down_) {
    wrong("I5", "its gate is barred though it may stay");
  }
  if (view.state == State::draining && (model.is_removed || model.next_spec) && !model.is_barred) {
    wrong("I5", "it has to go, and new leases may be taken on it");
  }
  // What is admitted to be resumed holds more already.
  const bool may_hold_more = model.phase == Phase::asleep && view.is_admitted &&
                             view.reserved > model.held.ram &&
                             view.reserved <= std::max(engine.bound(id), model.held.ram);
  if (model.phase != Phase::gone && view.reserved != model.held.ram && !may_hold_more) {
    wrong("I1", "the ledger says " + megabytes(view.reserved) + ", the model " +
                    megabytes(model.held.ram));
  }
  if (view.leases != model.leases) {
    wrong("I2", std::to_string(view.leases) + " leases, " + std::to_string(model.leases) +
                    " by the model");
  }
  if (model.leases > 0 && model.phase != Phase::resident) wrong("I2", "it is leased and not there");
  if (view.is_pinned != model.is_kept_by_pin) wrong("I4", "a pin is lost or made up");
  if (view.is_removed != model.is_removed)
    wrong("I4", "removed, or not, against the configuration");
  if (is_up && view.load != model.load) wrong("I4", "it is not of the load that brought it up");
  if (view.state != State::ready) return;
  for (const ComponentId need : model.needs) {
    const auto& then = model.needs_at_load;
    if (std::ranges::find(then, need) != then.end() && at(need).phase != Phase::resident) {
      wrong("I3", "what it needs is not there: " + name(need));
    }
  }
}

// What is admitted and not started yet holds its reservation too: only the views tell of that.
void Checker::compare_sums(const Engine& engine, bool is_full) {
  const Ledger& ledger = engine.ledger();
  const std::size_t resources = settings_.resources.size();
  for (std::size_t budget = 0; budget < budget_count(); ++budget) {
    const bool is_pool = budget > resources;
    const ResourceId resource{static_cast<std::uint16_t>(budget)};
    const PoolId pool{static_cast<std::uint16_t>(is_pool ? budget - resources : 0)};
    const Bytes said = is_pool ? ledger.pool_used(pool) : ledger.used(resource);
    const bool is_soft = is_pool && !ledger.is_hard(pool);
    const Bytes limit = is_soft   ? ledger.budget(ResourceId{})
                        : is_pool ? ledger.pool_budget(pool)
                                  : ledger.budget(resource);
    const std::string which = "budget " + std::to_string(budget);
    if (said < used_of(budget)) {
      violate("I1", which + ": the ledger counts " + megabytes(said) + ", the model " +
                        megabytes(used_of(budget)));
    }
    if (is_configured_ && limit != budget_of(budget))
      violate("I1", which + " is not as configured");
    if (said > limit &&
        std::ranges::any_of(started_, [&](ComponentId id) { return holds_in(at(id), budget); })) {
      violate("I1", which + " is over while a load starts in it");
    }
    if (!is_full) continue;
    Bytes counted = used_of(budget);
    for (std::uint32_t i = 0; i < models_.size(); ++i) {
      const ComponentId id{i};
      const bool is_asleep = models_[i].phase == Phase::asleep;
      if ((models_[i].phase != Phase::gone && !is_asleep) || !ledger.holds(id)) continue;
      Ledger::Demand demand = ledger.demand_of(id);
      if (is_asleep) {
        demand.ram -= models_[i].held.ram;
        demand.others.clear();
      }
      if (budget == 0 || (is_pool && demand.pool == pool)) counted += demand.ram;
      for (const auto& [other, bytes] : demand.others) {
        if (!is_pool && budget > 0 && other == resource) counted += bytes;
      }
    }
    if (counted != said) {
      violate("I1", which + ": counted from scratch it is " + megabytes(counted) +
                        ", the ledger says " + megabytes(said));
    }
  }
}

void Checker::compare_all(const Engine& engine) {
  if (engine.component_count() != models_.size()) {
    violate("I6", "the engine knows " + std::to_string(engine.component_count()) +
                      " components, the model " + std::to_string(models_.size()));
    return;
  }
  Bytes ram;
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    const ComponentId id{i};
    compare_one(id, engine);
    const auto needs = engine.needs_of(id);
    if (!std::ranges::equal(needs, at(id).needs)) {
      violate("I6", "the engine has other needs of " + name(id) + " than are configured");
    }
    const auto& ttl = at(id).spec.ttl;
    const Duration idle = now_ - std::max(at(id).idle_since, at(id).busy_until);
    if (ttl && is_evictable(id) && !is_shutting_down_ && idle > *ttl + 3s) {
      violate("I5", name(id) + " lives on after " + std::to_string(idle / 1ms) +
                        " ms of idleness, its time to live is " + std::to_string(*ttl / 1ms));
    }
    ram += at(id).held.ram;
    if (at(id).phase == Phase::gone && at(id).held.ram > Bytes{}) {
      violate("I1", name(id) + " is gone and holds memory");
    }
  }
  if (ram != ram_used_) violate("I1", "the model's own sum is off");
  compare_sums(engine, true);
  if (!engine.ledger().recount()) violate("I1", "the ledger's recount disagrees with its sums");
  const auto leases = engine.leases();
  bool are_equal = leases.size() == leases_.size();
  for (const LeaseView& view : leases) {
    const auto found = leases_.find(view.id);
    if (!are_equal) break;
    are_equal = found != leases_.end();
    if (!are_equal) break;
    std::vector<ComponentId> held(view.components.begin(), view.components.end());
    std::ranges::sort(held);
    are_equal = held == found->second.components;
  }
  if (!are_equal) violate("I4", "the leases of the engine are not those of the model");
  const std::size_t waiting = engine.waiting();
  if (waiting < requests_.size() || waiting > requests_.size() + lost_.size()) {
    violate("I4", std::to_string(waiting) + " requests wait, " + std::to_string(requests_.size()) +
                      " by the model");
  }
}

}  // namespace hearth::sim

// What each event says, written into the model's books.
#include <algorithm>

#include "base/limits.h"
#include "sim/checker.h"

namespace hearth::sim {
namespace {

bool is_same_life(const Spec& a, const Spec& b) {
  return a.needs == b.needs && a.conflicts == b.conflicts && a.devices == b.devices &&
         a.pool == b.pool && a.revision == b.revision;
}

Pressure pressure_at(Bytes available, const Settings& settings) {
  unsigned level = 0;
  for (const Bytes below : settings.pressure.below) level += available < below ? 1U : 0U;
  return static_cast<Pressure>(level);
}

}  // namespace

void Checker::on(const event::Configured& e) {
  const Configuration& next = e.configuration;
  settings_ = next.settings;
  is_configured_ = true;
  pools_used_.resize(1 + settings_.pools.size());
  others_used_.resize(settings_.resources.size());
  std::set<std::string_view> named;
  for (const Spec& spec : next.components) {
    named.insert(spec.name);
    const auto [found, is_new] =
        by_name_.emplace(spec.name, ComponentId{static_cast<std::uint32_t>(models_.size())});
    if (is_new) models_.emplace_back().spec = spec;
    Model& model = at(found->second);
    model.is_removed = false;
    if (!model.next_spec && is_same_life(model.spec, spec)) {
      model.spec = spec;
    } else {
      model.next_spec = spec;
    }
  }
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    const ComponentId id{i};
    Model& model = at(id);
    if (!named.contains(model.spec.name)) model.is_removed = true;
    if (model.is_removed || model.next_spec) {
      excuse_dependents(id);
      if (model.phase == Phase::gone) adopt_spec(id);
    } else {
      adopt_spec(id);
    }
    model.idle_since = now_;
    touch(id);
  }
  link_rivals();
}

// The new declaration is in force, and with it what it needs.
void Checker::adopt_spec(ComponentId id) {
  Model& model = at(id);
  if (model.next_spec) {
    const std::uint64_t before = model.spec.revision;
    model.spec = *std::exchange(model.next_spec, std::nullopt);
    // Another program: what was seen of the one before is a guess at best.
    if (before != model.spec.revision) {
      const bool is_guess = !model.spec.memory && !model.lives.empty();
      if (is_guess) model.lives = {*std::ranges::max_element(model.lives)};
      if (!is_guess) model.lives.clear();
      model.is_measured = false;
    }
  }
  model.needs.clear();
  for (const std::string& need : model.spec.needs) {
    const auto found = by_name_.find(need);
    if (found != by_name_.end()) model.needs.push_back(found->second);
  }
  std::ranges::sort(model.needs);
}

void Checker::remember_needs(Model& model) const {
  model.needs_at_load = model.needs;
  model.need_lives.clear();
  for (const ComponentId need : model.needs) model.need_lives.push_back(at(need).load);
}

void Checker::link_rivals() {
  for (Model& model : models_) model.rivals.clear();
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    for (const std::string& rival : models_[i].spec.conflicts) {
      const auto found = by_name_.find(rival);
      if (found == by_name_.end() || found->second.value == i) continue;
      models_[i].rivals.push_back(found->second);
      at(found->second).rivals.push_back(ComponentId{i});
    }
  }
}

void Checker::gone(ComponentId id) {
  Model& model = at(id);
  release(id);
  model.phase = Phase::gone;
  model.gate = Gate::shut;
  model.is_barred = false;
  model.is_cancelled = false;
  model.has_exited = false;
  if (model.next_spec) {
    adopt_spec(id);
    link_rivals();
  }
}

// Core and pinned components may go with what they need.
void Checker::excuse_dependents(ComponentId id) {
  at(id).may_close = true;
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    const std::array one{ComponentId{i}};
    const auto members = closure(one);
    if (std::ranges::find(members, id) != members.end()) models_[i].may_close = true;
  }
}

Checker::Asked& Checker::add_request(RequestId id, Ask kind, std::vector<ComponentId> asked,
                                     Duration patience) {
  std::ranges::sort(asked);
  asked.erase(std::ranges::unique(asked).begin(), asked.end());
  const auto [place, is_new] = requests_.emplace(id, Asked{});
  Asked& made = place->second;
  if (!is_new) violate("I4", "the world uses a request twice");
  made.kind = kind;
  made.arrived = now_;
  made.asked = std::move(asked);
  const bool is_valid = std::ranges::all_of(made.asked, [&](ComponentId c) { return is_known(c); });
  const bool has_members = kind == Ask::command || kind == Ask::lease || kind == Ask::load;
  if (has_members && is_valid) made.components = closure(made.asked);
  made.must_grant = has_members && is_valid && !is_shutting_down_;
  for (const ComponentId member : made.components) {
    const bool is_ready = is_open(member) && !at(member).is_draining;
    made.was_ready.push_back(is_ready);
    made.must_grant = made.must_grant && is_ready;
  }
  if (has_members && !made.must_grant && is_valid && !made.asked.empty()) {
    made.deadline = now_ + patience;
    deadlines_.insert(made.deadline);
  } else if (kind == Ask::unload) {
    made.deadline = Instant::never();
  } else {
    immediate_.push_back(id);
  }
  return made;
}

void Checker::remove_request(RequestId id) {
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  for (const ComponentId one : found->second.components) at(one).idle_since = now_;
  if (found->second.deadline != Instant::never()) {
    deadlines_.erase(deadlines_.find(found->second.deadline));
  }
  requests_.erase(found);
}

void Checker::demanded(std::span<const ComponentId> components) {
  for (const ComponentId id : closure(components)) at(id).reloads.clear();
}

void Checker::on(const event::CommandReceived& e) {
  std::vector<ComponentId> asked;
  for (const Intent& intent : e.intents) {
    if (intent.probability >= settings_.threshold && is_known(intent.component)) {
      asked.push_back(intent.component);
    }
  }
  demanded(asked);
  if (commands_) ++*commands_;
  Asked& made = add_request(e.request, Ask::command, std::move(asked), e.patience);
  made.length = e.lease;
  made.ends_with_answer = e.ends_with_answer;
  made.command = e.command;
  if (!e.waits) immediate_.push_back(e.request);
}

void Checker::on(const event::SignalReceived& /*e*/) {}

void Checker::on(const event::LeaseRequested& e) {
  demanded(e.components);
  Asked& made = add_request(e.request, Ask::lease, e.components, e.patience);
  made.length = e.length;
  made.is_preemptible = e.is_preemptible;
  made.ends_with_answer = e.ends_with_answer;
}

void Checker::on(const event::LeaseTaken& e) {
  const bool is_known_to_all = std::ranges::all_of(
      e.components, [this](ComponentId id) { return id.value < models_.size(); });
  if (!is_known_to_all) return;
  demanded(e.components);
  if (commands_ && e.command) ++*commands_;
  Lease lease{.components = e.components,
              .until = now_ + e.length,
              .length = e.length,
              .is_preemptible = e.is_preemptible,
              .is_fast = true,
              .ends_with_answer = e.ends_with_answer,
              .request = {}};
  std::ranges::sort(lease.components);
  add_lease(e.lease, std::move(lease));
}

void Checker::on(const event::LeaseRenewed& e) {
  Asked& made = add_request(e.request, Ask::renew, {}, Duration{0});
  made.lease = e.lease;
  made.length = e.length;
}

void Checker::on(const event::LeaseReleased& e) {
  add_request(e.request, Ask::release, {}, Duration{0}).lease = e.lease;
}

void Checker::on(const event::LoadRequested& e) {
  demanded(std::array{e.component});
  add_request(e.request, Ask::load, {e.component}, e.patience);
  if (!e.waits) immediate_.push_back(e.request);
}

void Checker::on(const event::UnloadRequested& e) {
  for (const ComponentId id : e.components) {
    if (id.value < models_.size()) at(id).may_close = true;
  }
  add_request(e.request, Ask::unload, e.components, Duration{0});
}

void Checker::on(const event::PinRequested& e) {
  if (is_known(e.component) && e.is_pinned) demanded(std::array{e.component});
  Asked& made = add_request(e.request, Ask::plain, {}, Duration{0});
  made.pinned = e.component;
  made.is_pin = e.is_pinned;
  made.kind = Ask::plain;
}

void Checker::on(const event::UseReported& e) {
  add_request(e.request, Ask::use, {}, Duration{0}).command = e.command;
}

void Checker::on(const event::RequestAbandoned& e) {
  lost_.erase(e.request);
  remove_request(e.request);
}

void Checker::on(const event::LoadFinished& e) {
  const auto found = loads_.find(e.work);
  if (found == loads_.end()) return;
  const ComponentId id = found->second;
  loads_.erase(found);
  touch(id);
  Model& model = at(id);
  if (e.outcome != WorkOutcome::done || model.has_exited) {
    if (model.has_exited) excuse_dependents(id);
    gone(id);
    return;
  }
  model.phase = Phase::resident;
  model.gate = Gate::shut;
  model.is_barred = false;
  begin_life(model);
  note_peak(model, e.measured);
  model.idle_since = now_;
  set_ram(id, e.measured);
}

void Checker::on(const event::UnloadFinished& e) {
  const auto found = unloads_.find(e.work);
  if (found == unloads_.end()) return;
  const ComponentId id = found->second;
  unloads_.erase(found);
  touch(id);
  gone(id);
}

void Checker::on(const event::HibernateFinished& e) {
  const auto found = hibernations_.find(e.work);
  if (found == hibernations_.end()) return;
  const ComponentId id = found->second;
  hibernations_.erase(found);
  touch(id);
  Model& model = at(id);
  if (e.outcome == HibernateOutcome::ended || model.has_exited) {
    excuse_dependents(id);
    gone(id);
  } else if (e.outcome == HibernateOutcome::awake) {
    model.phase = Phase::resident;  // and is unloaded in this step
  } else {
    model.phase = Phase::asleep;
    set_ram(id, std::max(std::min(e.held, model.held.ram), Bytes{1}));
  }
}

void Checker::on(const event::GateClosed& e) {
  if (e.component.value >= models_.size()) return;
  Model& model = at(e.component);
  if (model.gate == Gate::asked) model.gate = Gate::shut;
  touch(e.component);
}

void Checker::on(const event::GateRefused& e) {
  if (e.component.value >= models_.size()) return;
  Model& model = at(e.component);
  if (model.gate == Gate::asked) model.gate = Gate::open;
  model.idle_since = now_;
  touch(e.component);
}

void Checker::on(const event::ComponentExited& e) {
  if (e.component.value >= models_.size()) return;
  Model& model = at(e.component);
  if (model.load != e.load) return;
  const bool is_at_work = model.phase == Phase::falling_asleep || model.phase == Phase::waking;
  if (is_at_work) model.has_exited = true;
  if (model.phase != Phase::resident && model.phase != Phase::asleep) return;
  touch(e.component);
  excuse_dependents(e.component);
  gone(e.component);
}

void Checker::on(const event::MemorySampled& e) {
  is_sample_ = true;
  plain_pressure_ = pressure_at(e.available, settings_);
  // Stalls and swapping may raise it; by how much is the gauge's own test.
  if (e.stalled != stalled_ || e.swapped != swapped_) suffered_ = now_;
  stalled_ = e.stalled;
  swapped_ = e.swapped;
  is_suffering_ = now_ - suffered_ <= 10s;
  may_be_emergency_ =
      plain_pressure_ == Pressure::emergency || is_suffering_ || pressure_ == Pressure::emergency;
  if (plain_pressure_ > Pressure::low) {
    for (Model& model : models_) model.reloads.clear();
  }
  for (const auto& [id, bytes] : e.measured) {
    if (id.value >= models_.size() || at(id).phase != Phase::resident) continue;
    note_peak(at(id), bytes);
    set_ram(id, bytes);
    touch(id);
  }
}

void Checker::on(const event::PowerSampled& e) {
  const bool is_low = e.is_on_battery && e.charge < settings_.battery_below;
  if (is_low != saves_power_) power_at_ = now_;
  saves_power_ = is_low;
}

void Checker::on(const event::TimerFired& /*e*/) {
  if (armed_ <= now_) armed_ = Instant::never();
}

void Checker::on(const event::ShutdownRequested& /*e*/) {
  is_shutting_down_ = true;
  for (std::uint32_t i = 0; i < models_.size(); ++i) touch(ComponentId{i});
}

// Whoever was connected is gone, what was under way is void; what runs is what is listed.
void Checker::on(const event::Restored& e) {
  has_restored_ = true;
  commands_.reset();  // what the journal had not got yet is not counted
  for (Model& model : models_) model.reloads.clear();
  is_shutting_down_ = false;
  is_stopped_ = false;
  armed_ = Instant::never();
  for (const auto& [id, asked] : requests_) lost_.insert(id);
  for (auto& [id, lease] : leases_) lease.is_fast = false;  // the gates are new
  requests_.clear();
  deadlines_.clear();
  loads_.clear();
  unloads_.clear();
  hibernations_.clear();
  std::vector<bool> runs(models_.size(), false);
  for (const event::Running& running : e.running) {
    if (running.component.value >= models_.size()) continue;
    runs[running.component.value] = true;
    work_last_ = std::max(work_last_, running.load.value);
  }
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    touch(ComponentId{i});
    at(ComponentId{i}).may_close = true;
    if (!runs[i] && models_[i].phase != Phase::gone) {
      gone(ComponentId{i});
    }
  }
  std::vector<ComponentId> fresh;
  for (const event::Running& running : e.running) {
    if (running.component.value >= models_.size()) continue;
    Model& model = at(running.component);
    if (model.phase == Phase::gone) {
      Demand demand{.ram = running.measured, .pool = pool_of(model.spec), .others = {}};
      demand.others = devices_of(model.spec);
      hold(running.component, std::move(demand));
      fresh.push_back(running.component);
    } else {
      set_ram(running.component, running.measured);
    }
    model.phase = Phase::resident;
    model.gate = Gate::shut;
    model.is_barred = false;
    model.is_cancelled = false;
    model.has_exited = false;
    model.load = running.load;
    begin_life(model);
    note_peak(model, running.measured);
    model.idle_since = now_;
  }
  for (const ComponentId id : fresh) remember_needs(at(id));
}

void Checker::on(const event::LearntBefore& e) {
  for (const event::Learnt& learnt : e.components) {
    const auto found = by_name_.find(learnt.name);
    if (found != by_name_.end()) {
      Model& model = at(found->second);
      std::vector<Bytes> lives = learnt.lives;
      const std::size_t own = model.lives.size() - (model.is_measured ? 1 : 0);
      const auto highest = [](const std::vector<Bytes>& list) {
        return list.empty() ? Bytes{} : *std::ranges::max_element(list);
      };
      const bool is_better =
          lives.size() > own || (lives.size() == own && highest(lives) > highest(model.lives));
      if (!is_better) continue;
      if (model.is_measured) lives.push_back(model.lives.back());
      if (lives.size() > 20) lives.erase(lives.begin());
      model.lives = std::move(lives);
    }
  }
}

}  // namespace hearth::sim

// What each action may be, given the model's books.
#include <algorithm>

#include "base/limits.h"
#include "sim/checker.h"

namespace hearth::sim {

std::size_t Checker::pool_of(const Spec& spec) const {
  for (std::size_t i = 0; i < settings_.pools.size(); ++i) {
    if (settings_.pools[i].name == spec.pool) return i + 1;
  }
  return 0;
}

std::vector<Bytes> Checker::devices_of(const Spec& spec) const {
  std::vector<Bytes> amounts(settings_.resources.size());
  for (const ResourceNeed& need : spec.devices) {
    for (std::size_t i = 0; i < amounts.size(); ++i) {
      if (settings_.resources[i].name == need.resource) amounts[i] += need.bytes;
    }
  }
  return amounts;
}

// The upper bound as the definitions have it: learnt, else declared, else the guess for the
// unknown.
Bytes Checker::bound_least(const Model& model) const {
  const Bytes guess = std::min(settings_.unknown_memory, settings_.budget);
  const Bytes peak = model.lives.empty() ? Bytes{} : *std::ranges::max_element(model.lives);
  const bool is_settled = model.lives.size() >= 3;
  const Bytes declared = model.spec.memory.value_or(Bytes{});
  const bool is_declared = model.spec.memory && !is_settled && peak <= declared;
  const Bytes least = is_declared ? declared : peak > Bytes{} ? peak : guess;
  const std::size_t pool = pool_of(model.spec);
  if (pool == 0 || !settings_.pools[pool - 1].is_hard) return least;
  return std::min(least, std::max(settings_.pools[pool - 1].bytes, peak));
}

bool Checker::is_demanded(ComponentId id) const {
  if (at(id).leases > 0 || at(id).is_kept_by_pin) return true;
  return std::ranges::any_of(requests_, [&](const auto& entry) {
    // By what it needs now: a new configuration may have changed that.
    const auto members = closure(entry.second.asked);
    return entry.second.kind != Ask::unload && std::ranges::find(members, id) != members.end();
  });
}

// What has to be there always, and what that needs, is wanted all the time.
bool Checker::is_lasting(ComponentId id) const {
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    const Model& model = at(ComponentId{i});
    const bool is_kept = model.spec.priority == Priority::core || model.is_kept_by_pin;
    if (!is_kept || model.is_removed) continue;
    const auto members = closure(std::array{ComponentId{i}});
    if (std::ranges::find(members, id) != members.end()) return true;
  }
  return false;
}

// I7: what was unloaded and comes back by itself, again and again, while there is memory.
void Checker::check_thrash(ComponentId id, Model& model) {
  if (is_demanded(id) || is_lasting(id)) model.reloads.clear();
  if (pressure_ > Pressure::low) return;
  std::erase_if(model.reloads, [this](Instant then) { return now_ - then >= 10min; });
  model.reloads.push_back(now_);
  if (model.reloads.size() > 3) {
    violate("I7", name(id) + " is loaded for the fourth time in ten minutes and nobody asked");
  }
}

// What a load and a resume have in common.
void Checker::check_start(const std::string& who, ComponentId id, WorkId work, Bytes reserved) {
  const Model& model = at(id);
  if (work.value <= work_last_) violate("I4", who + " has a work id that was used before");
  work_last_ = std::max(work_last_, work.value);
  if (model.is_removed) violate("I2", who + ": it was removed from the configuration");
  if (is_shutting_down_) violate("I4", who + " starts during a shutdown");
  for (const ComponentId rival : model.rivals) {
    if (at(rival).phase != Phase::gone) {
      violate("I3", who + " starts while its rival " + name(rival) + " is resident");
    }
  }
  for (const ComponentId need : model.needs) {
    if (!is_open(need)) violate("I3", who + " starts before what it needs: " + name(need));
  }
  if (loads_.size() >= settings_.loads_parallel_max) {
    violate("I1", who + " is one more than may be under way");
  }
  if (reserved < bound_least(model)) {
    violate("I1", who + " reserves " + megabytes(reserved) + ", its bound is " +
                      megabytes(bound_least(model)));
  }
}

void Checker::begin_load(ComponentId id, WorkId work) {
  Model& model = at(id);
  model.gate = Gate::shut;
  model.is_barred = false;
  model.is_cancelled = false;
  model.may_close = false;
  model.load_due = now_ + model.spec.load_timeout.value_or(settings_.load_timeout);
  loads_.emplace(work, id);
  started_.push_back(id);
}

void Checker::on(const action::StartLoad& a) {
  if (a.component.value >= models_.size()) return violate("I4", "a load of nothing known");
  Model& model = at(a.component);
  touch(a.component);
  const std::string who = "the load of " + name(a.component);
  if (model.phase != Phase::gone) violate("I4", who + " starts while it is there");
  check_start(who, a.component, a.work, a.reserved);
  if (a.attempt == 1) check_thrash(a.component, model);
  if (a.is_preload && saves_power_ && power_at_ < now_ - 5s) {
    violate("I5", who + " is ahead of a need, on a battery that is low");
  }
  model.phase = Phase::loading;
  model.load = a.work;
  remember_needs(model);
  hold(a.component,
       {.ram = a.reserved, .pool = pool_of(model.spec), .others = devices_of(model.spec)});
  begin_load(a.component, a.work);
}

void Checker::on(const action::StartResume& a) {
  if (a.component.value >= models_.size()) return violate("I4", "a resume of nothing known");
  Model& model = at(a.component);
  touch(a.component);
  const std::string who = "the resume of " + name(a.component);
  if (model.phase != Phase::asleep) violate("I4", who + " starts though it does not hibernate");
  check_thrash(a.component, model);
  check_start(who, a.component, a.work, a.reserved);
  model.phase = Phase::waking;
  set_ram(a.component, a.reserved);
  begin_load(a.component, a.work);
}

void Checker::on(const action::StartHibernate& a) {
  if (!is_resident(a.component)) return violate("I2", "what is not there hibernates");
  Model& model = at(a.component);
  const std::string who = "the hibernation of " + name(a.component);
  if (a.work.value <= work_last_) violate("I4", who + " has a work id that was used before");
  work_last_ = std::max(work_last_, a.work.value);
  if (!model.spec.can_hibernate) violate("I4", who + ": it cannot");
  if (pressure_ == Pressure::emergency) violate("I5", who + " begins in an emergency");
  if (model.gate != Gate::shut) violate("I2", who + " starts before its gate is closed");
  if (model.leases > 0) violate("I2", who + " starts under a lease");
  if (has_live_dependent(a.component)) violate("I3", who + " takes what others need away");
  if (is_shutting_down_) violate("I4", who + " starts during a shutdown");
  model.phase = Phase::falling_asleep;
  model.is_cancelled = false;
  hibernations_.emplace(a.work, a.component);
  has_relief_ = true;
  touch(a.component);
}

void Checker::on(const action::CancelLoad& a) {
  const auto load = loads_.find(a.work);
  const auto sleep = hibernations_.find(a.work);
  if (load == loads_.end() && sleep == hibernations_.end()) {
    return violate("I4", "a load is cancelled that is not under way");
  }
  const ComponentId id = load != loads_.end() ? load->second : sleep->second;
  if (at(id).is_cancelled) violate("I4", "a load is cancelled twice");
  at(id).is_cancelled = true;
  has_relief_ = true;
  touch(id);
}

void Checker::on(const action::OpenGate& a) {
  if (!is_resident(a.component)) return violate("I2", "a gate opens to what is not there");
  Model& model = at(a.component);
  if (model.gate != Gate::shut && !model.is_barred) {
    violate("I2", "the gate of " + name(a.component) + " opens twice");
  }
  model.is_barred = false;
  model.gate = Gate::open;
  model.idle_since = now_;
  touch(a.component);
}

void Checker::on(const action::CloseGate& a) {
  if (!is_resident(a.component)) return violate("I2", "a gate closes to what is not there");
  Model& model = at(a.component);
  const std::string who = "the gate of " + name(a.component);
  if (model.gate != Gate::open) violate("I2", who + " is closed though it is not open");
  if (model.leases > 0) violate("I2", who + " is closed under a lease");
  if (has_live_dependent(a.component))
    violate("I2", who + " is closed before its dependents are gone");
  // In an emergency what is pinned goes too, if nobody uses it.
  const bool is_emergency = is_sample_ && may_be_emergency_;
  const bool is_lasting =
      model.spec.priority == Priority::core || (model.is_kept_by_pin && !is_emergency);
  if (is_lasting && !model.may_close && !model.is_removed && !is_shutting_down_) {
    violate("I2", who + " is closed: it is core or pinned");
  }
  model.gate = Gate::asked;
  has_relief_ = true;
  touch(a.component);
}

void Checker::on(const action::BarGate& a) {
  if (!is_resident(a.component) || at(a.component).gate != Gate::open) {
    return violate("I2", "a gate is barred that is not open");
  }
  at(a.component).is_barred = true;
  touch(a.component);
}

void Checker::on(const action::ReleaseGate& a) { gates_released_.push_back(a.component); }

void Checker::on(const action::StartUnload& a) {
  const bool is_asleep =
      a.component.value < models_.size() && at(a.component).phase == Phase::asleep;
  if (!is_resident(a.component) && !is_asleep) {
    return violate("I2", "an unload of what is not there");
  }
  Model& model = at(a.component);
  const std::string who = "the unload of " + name(a.component);
  if (a.work.value <= work_last_) violate("I4", who + " has a work id that was used before");
  work_last_ = std::max(work_last_, a.work.value);
  if (model.gate != Gate::shut) violate("I2", who + " starts before its gate is closed");
  if (model.leases > 0) violate("I2", who + " starts under a lease");
  if (has_live_dependent(a.component))
    violate("I2", who + " starts before its dependents are gone");
  model.phase = Phase::unloading;
  model.unload = a.work;
  unloads_.emplace(a.work, a.component);
  has_relief_ = true;
  touch(a.component);
}

void Checker::on(const action::ArmTimer& a) { armed_ = a.at; }

void Checker::on(const action::Reply& a) {
  if (lost_.erase(a.request) > 0) {
    if (a.is_granted && !a.is_accepted && a.lease)
      violate("I4", "a lease for a client that is gone");
    return;
  }
  const auto found = requests_.find(a.request);
  if (found == requests_.end()) {
    return violate("I4", "a reply to request " + std::to_string(a.request.value) +
                             ", which has one or was never made");
  }
  const Asked asked = found->second;
  remove_request(a.request);
  if (a.is_granted) {
    check_granted(a, asked);
  } else {
    check_refused(a, asked);
  }
}

void Checker::check_granted(const action::Reply& a, const Asked& asked) {
  const std::string who = "request " + std::to_string(a.request.value);
  if (asked.kind == Ask::release) {
    if (!leases_.contains(asked.lease)) violate("I4", who + " released a lease that is not there");
    return end_lease(asked.lease);
  }
  if (asked.kind == Ask::renew) {
    const auto lease = leases_.find(asked.lease);
    if (lease == leases_.end()) return violate("I4", who + " renewed a lease that is not there");
    lease_ends_.erase(lease_ends_.find(lease->second.until));
    lease->second.until = now_ + asked.length;
    lease_ends_.insert(lease->second.until);
    if (a.lease_until != lease->second.until)
      violate("I4", who + ": the lease ends at another time");
    return;
  }
  if (asked.kind == Ask::plain) {
    if (is_known(asked.pinned)) {
      at(asked.pinned).is_kept_by_pin = asked.is_pin;
      at(asked.pinned).idle_since = now_;
    }
    return touch(asked.pinned);
  }
  if (asked.kind == Ask::use || asked.kind == Ask::unload) return;
  if (a.is_accepted) {
    // The engine goes on with it for as long as the client would have waited.
    for (const ComponentId id : asked.components) {
      Instant& until = at(id).busy_until;
      if (asked.deadline != Instant::never()) until = std::max(until, asked.deadline);
    }
    return;
  }
  std::vector<ComponentId> members;
  for (const action::ReplyComponent& row : a.components) {
    members.push_back(row.component);
    if (!is_open(row.component)) {
      violate("I4", who + " is granted, and " + name(row.component) + " is not ready");
    }
    const auto place = std::ranges::find(asked.components, row.component);
    if (place == asked.components.end()) continue;
    const bool was_ready =
        asked.was_ready[static_cast<std::size_t>(place - asked.components.begin())];
    if (row.is_cold == was_ready) {
      violate("I4",
              who + ": " + name(row.component) + (was_ready ? " was" : " was not") + " ready");
    }
  }
  std::ranges::sort(members);
  if (members != closure(asked.asked))
    violate("I4", who + " is granted something else than it asked");
  if (a.wait != now_ - asked.arrived) violate("I4", who + " is told another wait than it had");
  if (!a.lease) {
    if (asked.kind != Ask::load && !asked.asked.empty()) violate("I4", who + " got no lease");
    return;
  }
  if (a.lease_until != now_ + asked.length) violate("I4", who + ": the lease ends at another time");
  add_lease(a.lease, {.components = asked.asked,
                      .until = a.lease_until,
                      .length = asked.length,
                      .is_preemptible = asked.is_preemptible,
                      .is_fast = false,
                      .ends_with_answer = asked.ends_with_answer,
                      .request = a.request});
}

void Checker::check_refused(const action::Reply& a, const Asked& asked) {
  const std::string who = "request " + std::to_string(a.request.value);
  if (asked.must_grant && leases_.size() < leases_max) {
    violate("I5", who + " is refused (" + std::string{name_of(a.reason)} +
                      ") though all that it asked for is ready");
  }
  if (a.reason == Reason::timed_out && now_ < asked.deadline && asked.kind != Ask::unload) {
    violate("I4", who + " is timed out before its deadline");
  }
  if (a.reason == Reason::shutting_down && !is_shutting_down_) {
    violate("I4", who + " is refused for a shutdown that nobody asked for");
  }
  if (a.reason == Reason::queue_full && requests_.size() + 1 < requests_waiting_max) {
    violate("I4", who + " is refused for a queue that is not full");
  }
  const bool is_lease_there = asked.lease && leases_.contains(asked.lease);
  if (a.reason == Reason::unknown_lease && is_lease_there) {
    violate("I4", who + ": the lease is known all the same");
  }
  if (a.reason == Reason::unknown_component) {
    const bool is_all_known =
        std::ranges::all_of(asked.asked, [this](ComponentId id) { return is_known(id); });
    if (is_all_known && !asked.asked.empty()) violate("I4", who + ": its components are known");
  }
  if (a.reason == Reason::conflicting_set) {
    const auto clashes = [&](ComponentId id) {
      return std::ranges::any_of(at(id).rivals, [&](ComponentId rival) {
        return std::ranges::find(asked.components, rival) != asked.components.end();
      });
    };
    if (std::ranges::none_of(asked.components, clashes)) {
      violate("I4", who + " is refused for a conflict in itself that it has not");
    }
  }
}

void Checker::on(const action::LeaseEnded& a) {
  const auto found = leases_.find(a.lease);
  if (found == leases_.end()) return violate("I4", "a lease ends that is not there");
  const Lease& lease = found->second;
  const std::string who = "lease " + std::to_string(a.lease.value & ~(1ULL << 63));
  if (a.reason == Reason::expired && now_ < lease.until && !lease_told(lease)) {
    violate("I4", who + " expires before its end");
  }
  if (a.reason == Reason::revoked && !lease_told(lease)) {
    violate("I2",
            who + " is revoked without a word, before its grace is over, or though it is firm");
  }
  if (a.reason == Reason::shutting_down && !is_shutting_down_) {
    violate("I4", who + " ends for a shutdown that nobody asked for");
  }
  if (a.reason == Reason::released) violate("I4", who + " was released by nobody");
  if (a.reason == Reason::lost) {
    // Gone, or doomed with what it needs.
    const auto members = closure(lease.components);
    const bool is_lost = std::ranges::any_of(
        members, [this](ComponentId id) { return !is_open(id) || at(id).is_draining; });
    const bool is_over = lease.ends_with_answer && has_restored_;
    if (!is_lost && !is_over) violate("I4", who + " is lost though all that it holds is there");
  }
  end_lease(a.lease);
}

// Its owner was told, and the grace, or its own time, is over.
bool Checker::lease_told(const Lease& lease) const {
  if (!lease.is_preemptible || lease.revoked_at == Instant::never()) return false;
  return now_ >= std::min(lease.until, lease.revoked_at + settings_.preempt_grace);
}

void Checker::on(const action::Learn& a) {
  if (!a.command) violate("I4", "something is learnt about no command");
}

void Checker::on(const action::Record& a) {
  const Decision& decision = a.decision;
  if (decision_last_ != 0 && decision.sequence != decision_last_ + 1) {
    violate("I6", "the decisions are not numbered one by one");
  }
  decision_last_ = decision.sequence;
  if (decision.at != now_) violate("I6", "a decision is not of its step");
  if (decision.kind == DecisionKind::nothing_evictable) {
    has_relief_ = true;
    was_told_stuck_ = true;
  }
  const bool goes = decision.kind == DecisionKind::unload_started ||
                    decision.kind == DecisionKind::hibernate_started;
  if (goes && decision.reason == Reason::memory && decision.has_other) {
    pushed_.emplace_back(decision.component, decision.other);
  }
  const bool is_displaced = decision.kind == DecisionKind::unload_started &&
                            decision.reason == Reason::conflict && decision.has_other;
  if (is_displaced && at(decision.component).spec.priority > at(decision.other).spec.priority) {
    violate("I2", name(decision.component) + " is displaced by its rival " + name(decision.other) +
                      ", which is of lower priority");
  }
  if (decision.reason == Reason::revoked && decision.lease) {
    const auto found = leases_.find(decision.lease);
    if (found == leases_.end() || decision.kind == DecisionKind::lease_ended) return;
    Lease& lease = found->second;
    if (!lease.is_preemptible) violate("I2", "a lease that is not preemptible is revoked");
    if (lease.revoked_at != Instant::never()) return;
    lease.revoked_at = now_;
    lease_ends_.erase(lease_ends_.find(lease.until));
    lease.until = std::min(lease.until, now_ + settings_.preempt_grace);
    lease_ends_.insert(lease.until);
  }
}

void Checker::on(const action::Stopped& /*a*/) {
  if (!is_shutting_down_) violate("I4", "it stops though nobody asked for it");
  if (is_stopped_) violate("I4", "it stops twice");
  is_stopped_ = true;
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    if (models_[i].phase != Phase::gone)
      violate("I4", name(ComponentId{i}) + " outlives the shutdown");
  }
  if (!requests_.empty()) violate("I4", "it stops and a request has no reply");
}

}  // namespace hearth::sim

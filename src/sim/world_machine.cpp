// The machine under the daemon: processes that come and go, their memory, their gates.
#include <algorithm>

#include "sim/world.h"

namespace hearth::sim {
namespace {

Bytes scaled(Bytes bytes, std::int64_t per_mille) {
  return Bytes{bytes.count / 1000 * static_cast<std::uint64_t>(per_mille)};
}

}  // namespace

void World::perform(const action::StartLoad& a) {
  Process& process = processes_[a.component.value];
  if (process.life != Life::none) {
    checker_.violate("I4", process.name + " is started while its process is there");
    return;
  }
  process.life = Life::starting;
  process.load = a.work;
  process.size = Bytes{a.reserved.count / 4};
  const Truth& truth = workload_.truth(process.name);
  Job job{.component = a.component, .reserved = a.reserved};
  Duration takes = truth.load_time * prng_.between(80, 130) / 100;
  if (faults_.strikes(Fault::load_slow, now_)) {
    takes *= prng_.between(3, 25);
    faults_.done(Fault::load_slow);
  }
  if (faults_.strikes(Fault::load_failed, now_)) {
    job.outcome = WorkOutcome::failed;
    takes = takes * prng_.between(1, 100) / 100;
    faults_.done(Fault::load_failed);
  }
  if (faults_.strikes(Fault::estimate_low, now_)) job.is_low = true;
  job.stamp = next_stamp_++;
  if (faults_.strikes(Fault::load_hung, now_)) {
    faults_.done(Fault::load_hung);
  } else {
    add(Kind::finish_load, now_ + takes, a.work.value, job.stamp);
  }
  jobs_.emplace(a.work, job);
}

// A driver that is told to stop says "cancelled" soon, or it was quicker: "done" or "failed".
void World::perform(const action::CancelLoad& a) {
  const auto found = jobs_.find(a.work);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  job.is_cancelled = true;
  if (!job.is_load && !job.is_resume) {  // it is at it, or was quicker
    if (prng_.chance(0.8)) job.slept = HibernateOutcome::awake;
    job.stamp = next_stamp_++;
    return add(Kind::finish_hibernate, now_ + between(prng_, 1ms, 200ms), a.work.value, job.stamp);
  }
  job.outcome = WorkOutcome::cancelled;
  if (faults_.strikes(Fault::finished_after_cancel, now_)) {
    const bool is_done = prng_.chance(0.8);
    job.outcome = is_done ? WorkOutcome::done : WorkOutcome::failed;
    faults_.done(Fault::finished_after_cancel);
  }
  job.stamp = next_stamp_++;
  add(Kind::finish_load, now_ + between(prng_, 1ms, 400ms), a.work.value, job.stamp);
}

Bytes World::ready_size(const Job& job, const Process& process) {
  const Bytes size = scaled(workload_.truth(process.name).size, prng_.between(900, 1150));
  if (!job.is_low || job.reserved >= workload_.budget()) return size;
  faults_.done(Fault::estimate_low);
  const Bytes most = scaled(workload_.truth(process.name).size, 1800);
  return std::max(size, std::min(most, scaled(job.reserved, prng_.between(1050, 1500))));
}

void World::finish_load(WorkId work, std::uint64_t stamp) {
  const auto found = jobs_.find(work);
  if (found == jobs_.end() || found->second.stamp != stamp) return;
  Job job = found->second;
  jobs_.erase(found);
  Process& process = processes_[job.component.value];
  // It has ended meanwhile: at times that is told before, and here all the same.
  if (job.is_resume && process.life == Life::none && job.outcome == WorkOutcome::done) {
    job.outcome = WorkOutcome::failed;
  }
  event::LoadFinished finished{.work = work, .outcome = job.outcome, .measured = {}, .detail = {}};
  if (job.outcome == WorkOutcome::done) {
    process.life = Life::running;
    process.size = job.is_resume ? process.awake : ready_size(job, process);
    finished.measured = process.size;
  } else {
    process.life = Life::none;
    process.size = Bytes{};
    if (job.outcome == WorkOutcome::failed) finished.detail = "exit status 1";
  }
  complete(std::move(finished));
}

void World::perform(const action::StartUnload& a) {
  Process& process = processes_[a.component.value];
  Job job{.component = a.component, .is_load = false, .stamp = next_stamp_++, .reserved = {}};
  Duration takes = workload_.truth(process.name).unload_time * prng_.between(50, 150) / 100;
  if (faults_.strikes(Fault::unload_slow, now_)) {
    takes += between(prng_, 2s, 15s);
    faults_.done(Fault::unload_slow);
  }
  if (process.fast > 0) checker_.violate("I2", process.name + " is unloaded under a held gate");
  const bool is_there = process.life == Life::running || process.life == Life::asleep;
  if (is_there) process.life = Life::stopping;
  add(Kind::finish_unload, now_ + takes, a.work.value, job.stamp);
  jobs_.emplace(a.work, job);
}

void World::finish_unload(WorkId work, std::uint64_t stamp) {
  const auto found = jobs_.find(work);
  if (found == jobs_.end() || found->second.stamp != stamp) return;
  Process& process = processes_[found->second.component.value];
  jobs_.erase(found);
  process.life = Life::none;
  process.size = Bytes{};
  complete(event::UnloadFinished{work});
}

// Paged out, and less is left of it; by what does not compress, or does not fit, much is.
void World::perform(const action::StartHibernate& a) {
  Process& process = processes_[a.component.value];
  if (process.life == Life::running) {
    process.life = Life::falling_asleep;
    process.awake = process.size;
  }
  Job job{.component = a.component, .is_load = false, .stamp = next_stamp_++, .reserved = {}};
  const bool is_refused = faults_.strikes(Fault::hibernate_refused, now_);
  if (is_refused) faults_.done(Fault::hibernate_refused);
  job.slept = is_refused ? HibernateOutcome::awake : HibernateOutcome::asleep;
  const std::int64_t megabytes_held = static_cast<std::int64_t>(process.size.count >> 20);
  const Duration takes = 20ms + Duration{megabytes_held * 1'000'000} * prng_.between(50, 200) / 100;
  job.takes = takes;
  add(Kind::finish_hibernate, now_ + takes, a.work.value, job.stamp);
  jobs_.emplace(a.work, job);
}

void World::finish_hibernate(WorkId work, std::uint64_t stamp) {
  const auto found = jobs_.find(work);
  if (found == jobs_.end() || found->second.stamp != stamp) return;
  const Job job = found->second;
  jobs_.erase(found);
  Process& process = processes_[job.component.value];
  event::HibernateFinished finished{.work = work, .outcome = job.slept, .took = job.takes};
  if (process.life == Life::none) {
    finished.outcome = prng_.chance(0.5) ? HibernateOutcome::ended : HibernateOutcome::asleep;
  } else if (job.slept == HibernateOutcome::awake) {
    process.life = Life::running;
  } else {
    const bool is_full = faults_.strikes(Fault::swap_full, now_);
    if (is_full) faults_.done(Fault::swap_full);
    process.life = Life::asleep;
    process.size =
        scaled(process.awake, is_full ? prng_.between(760, 1000) : prng_.between(50, 700));
    finished.held = process.size;
    // The swap's traffic is of the whole machine, and nobody's in particular.
    swapped_ += less(process.awake, process.size);
  }
  complete(std::move(finished));
}

void World::perform(const action::StartResume& a) {
  Process& process = processes_[a.component.value];
  Job job{.component = a.component, .is_resume = true, .stamp = next_stamp_++, .reserved = {}};
  if (process.life == Life::asleep) {
    process.life = Life::waking;
    swapped_ += less(process.awake, process.size);
    process.size = process.awake;
  }
  const std::int64_t megabytes_held = static_cast<std::int64_t>(process.awake.count >> 20);
  Duration takes = 10ms + Duration{megabytes_held * 500'000} * prng_.between(50, 200) / 100;
  if (faults_.strikes(Fault::resume_slow, now_)) {
    takes *= prng_.between(10, 200);
    faults_.done(Fault::resume_slow);
  }
  if (faults_.strikes(Fault::resume_failed, now_)) {
    job.outcome = WorkOutcome::failed;
    faults_.done(Fault::resume_failed);
  }
  add(Kind::finish_load, now_ + takes, a.work.value, job.stamp);
  jobs_.emplace(a.work, job);
}

// Hands a completion to the daemon: at once, twice, or after the next one.
void World::complete(Event::What what) {
  if (!held_ && faults_.strikes(Fault::reordered_completion, now_)) {
    held_ = std::move(what);
    add(Kind::release_held, now_ + 3s);
    return;
  }
  const bool is_twice = faults_.strikes(Fault::duplicate_completion, now_);
  if (is_twice) {
    faults_.done(Fault::duplicate_completion);
    deliver(what, between(prng_, 0ms, 2s));
  }
  step(std::move(what));
  if (!held_ || is_over()) return;
  faults_.done(Fault::reordered_completion);
  release_held();
}

void World::release_held() {
  if (!held_) return;
  Event::What what = std::move(*held_);
  held_.reset();
  step(std::move(what));
}

void World::perform(const action::OpenGate& a) {
  Process& process = processes_[a.component.value];
  process.is_open = process.life == Life::running;
}

void World::perform(const action::BarGate& a) { processes_[a.component.value].is_open = false; }

// Decided on the spot; the answer arrives a little later, beside fast leases already on their way.
void World::perform(const action::CloseGate& a) {
  Process& process = processes_[a.component.value];
  if (process.is_open && faults_.strikes(Fault::gate_refused, now_)) {
    const auto gates = closure(a.component);
    if (are_open(gates)) {
      take_gates(gates, between(prng_, 0ms, 6ms));
      faults_.done(Fault::gate_refused);
    }
  }
  const Duration after = between(prng_, 0ms, 4ms);
  if (process.fast > 0) {
    deliver(event::GateRefused{.component = a.component, .leases = process.fast}, after);
    return;
  }
  process.is_open = false;
  deliver(event::GateClosed{a.component}, after);
}

void World::perform(const action::ReleaseGate& a) {
  Process& process = processes_[a.component.value];
  if (is_restoring_) return;
  if (process.fast == 0) {
    checker_.violate("I4", "the gate of " + process.name + " is released once too often");
    return;
  }
  --process.fast;
}

void World::perform(const action::ArmTimer& a) { armed_ = a.at; }

void World::perform(const action::LeaseEnded& /*a*/) {}
void World::perform(const action::Learn& /*a*/) {}
void World::perform(const action::Record& /*a*/) {}
void World::perform(const action::Stopped& /*a*/) { is_stopped_ = true; }

// Programs wait for memory where it is short, and now and then where it is not.
void World::suffer(Bytes available) {
  const bool is_short = available < scaled(workload_.budget(), 80);
  if (is_short || prng_.chance(0.002)) stalled_ += between(prng_, 0ms, 700ms);
  if (is_short && prng_.chance(0.5)) {
    swapped_ += Bytes{static_cast<std::uint64_t>(prng_.between(0, 400)) << 20};
  }
}

// A day with a laptop: on mains and off them.
void World::look_at_power() {
  if (prng_.chance(0.05)) is_on_battery_ = !is_on_battery_ && now_ < faults_.heal_at();
  charge_ = std::clamp(charge_ + (is_on_battery_ ? -0.02 : 0.02), 0.03, 1.0);
  step(event::PowerSampled{.is_on_battery = is_on_battery_, .charge = charge_});
}

// The rest of the machine takes and gives memory; components drift.
void World::sample() {
  add(Kind::sample, now_ + 1s);
  const Bytes budget = workload_.budget();
  if (now_ >= other_until_) {
    const bool is_high = prng_.chance(0.12) && now_ < faults_.heal_at();
    other_goal_ =
        is_high ? scaled(budget, prng_.between(350, 600)) : scaled(budget, prng_.between(50, 200));
    other_until_ = now_ + (is_high ? between(prng_, 20s, 120s) : between(prng_, 60s, 400s));
    // Some take it faster than anything could foretell.
    other_pace_ = Bytes{budget.count / (prng_.chance(0.3) ? 3 : 50)};
  }
  const Bytes pace = other_pace_;
  if (other_use_ < other_goal_) other_use_ = std::min(other_goal_, other_use_ + pace);
  if (other_use_ > other_goal_) other_use_ = std::max(other_goal_, less(other_use_, pace));
  const bool measures = samples_++ % 5 == 0;
  if (samples_ % 60 == 0) look_at_power();
  Bytes resident;
  event::MemorySampled sampled;
  for (std::uint32_t i = 0; i < processes_.size(); ++i) {
    Process& process = processes_[i];
    if (process.life == Life::none) continue;
    if (measures && process.life == Life::running) {
      const Bytes truth = workload_.truth(process.name).size;
      const std::int64_t drift = prng_.between(985, 1020);
      process.size = std::clamp(scaled(process.size, drift), scaled(truth, 850),
                                std::max(scaled(truth, 1300), scaled(process.size, 990)));
      sampled.measured.emplace_back(ComponentId{i}, process.size);
    }
    resident += process.size;
  }
  const Bytes machine = scaled(budget, 1600);
  sampled.available = less(machine, resident + other_use_);
  suffer(sampled.available);
  sampled.stalled = stalled_;
  sampled.swapped = swapped_;
  step(std::move(sampled));
}

}  // namespace hearth::sim

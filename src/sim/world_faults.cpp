// What strikes by the clock: crashes, suspends, restarts, changes of budget and configuration.
#include <algorithm>

#include "sim/world.h"

namespace hearth::sim {

void World::strike(Fault fault) {
  add(Kind::fault, faults_.next_at(fault, now_), static_cast<std::uint64_t>(fault));
  if (!faults_.is_on(fault, now_)) return;
  switch (fault) {
    case Fault::crash_ready:
      return crash(false);
    case Fault::crash_leased:
      return crash(true);
    case Fault::crash_asleep:
      return crash_asleep();
    case Fault::suspend:
      // All that was due meanwhile happens when the machine wakes.
      faults_.done(fault);
      now_ = std::min(now_ + between(prng_, 20s, 240s), faults_.heal_at());
      steps_at_instant_ = 0;
      return;
    case Fault::clock_jump:
      faults_.done(fault);
      jump_ = prng_.chance(0.5) ? between(prng_, 100ms, 60s) : -between(prng_, 100ms, 30s);
      return;
    case Fault::restart_tail_lost:
      return restart(prng_.chance(0.8));
    case Fault::budget_shrunk:
      faults_.done(fault);
      add(Kind::restore_budget, now_ + between(prng_, 20s, 300s));
      return reconfigure(workload_.with_budget(configuration_, 0.45 + 0.4 * prng_.unit()));
    case Fault::configuration_changed:
      faults_.done(fault);
      return reconfigure(workload_.vary(prng_));
    case Fault::load_slow:
    case Fault::load_hung:
    case Fault::load_failed:
    case Fault::finished_after_cancel:
    case Fault::estimate_low:
    case Fault::gate_refused:
    case Fault::unload_slow:
    case Fault::duplicate_completion:
    case Fault::reordered_completion:
    case Fault::client_abandoned:
    case Fault::hibernate_refused:
    case Fault::swap_full:
    case Fault::resume_failed:
    case Fault::resume_slow:
      return;
  }
}

void World::restore_budget() {
  if (now_ < faults_.heal_at()) reconfigure(workload_.with_budget(configuration_, 1.0));
}

void World::reconfigure(Configuration next) {
  configuration_ = std::move(next);
  step(event::Configured{configuration_});
}

// A process dies; the shell sees it at once and shuts the gate.
void World::crash(bool is_leased) {
  std::vector<ComponentId> found;
  for (std::uint32_t i = 0; i < processes_.size(); ++i) {
    if (processes_[i].life != Life::running) continue;
    if (engine_.component(ComponentId{i}).state != State::ready) continue;
    if ((engine_.component(ComponentId{i}).leases > 0) == is_leased)
      found.push_back(ComponentId{i});
  }
  if (found.empty()) return;
  faults_.done(is_leased ? Fault::crash_leased : Fault::crash_ready);
  end(found[prng_.below(found.size())]);
}

// Also of what is on its way there or back: what is being done with it finds it gone.
void World::crash_asleep() {
  std::vector<ComponentId> found;
  for (std::uint32_t i = 0; i < processes_.size(); ++i) {
    const Life life = processes_[i].life;
    const bool is_asleep =
        life == Life::asleep || life == Life::falling_asleep || life == Life::waking;
    if (is_asleep) found.push_back(ComponentId{i});
  }
  if (found.empty()) return;
  faults_.done(Fault::crash_asleep);
  end(found[prng_.below(found.size())]);
}

void World::end(ComponentId id) {
  Process& process = processes_[id.value];
  process.life = Life::none;
  process.size = Bytes{};
  process.is_open = false;
  const event::ComponentExited exited{.component = id, .load = process.load, .detail = "signal 9"};
  // Told once more, and much later: then it may be of a life before.
  if (faults_.is_on(Fault::duplicate_completion, now_) && prng_.chance(0.5)) {
    faults_.done(Fault::duplicate_completion);
    deliver(exited, between(prng_, 5ms, 30s));
  }
  deliver(exited, between(prng_, 0ms, 4ms));
}

// The daemon dies and comes back: snapshot, replay of what the journal kept, what really runs.
void World::restart(bool loses_tail) {
  ++report_.restarts;
  std::size_t kept = journal_.size();
  if (loses_tail && kept > 0) {
    const std::size_t most = prng_.chance(0.8) ? std::min<std::size_t>(kept, 30) : kept;
    kept -= 1 + prng_.below(most);
    faults_.done(Fault::restart_tail_lost);
  }
  ++incarnation_;
  jobs_.clear();
  pending_.clear();
  held_.reset();
  probe_ = RequestId{};
  armed_ = Instant::never();
  replay(kept);
  if (is_over()) return;
  rebuild_processes();
  event::Restored restored;
  for (std::uint32_t i = 0; i < processes_.size(); ++i) {
    if (processes_[i].life != Life::running) continue;
    restored.running.push_back({ComponentId{i}, processes_[i].load, processes_[i].size});
  }
  now_ = now_ + between(prng_, 50ms, 3s);
  is_restoring_ = true;
  step(std::move(restored));
  is_restoring_ = false;
  if (is_over()) return;
  step(event::Configured{configuration_});
  if (!is_over()) take_snapshot();
}

// I6: the same events give the same actions again.
void World::replay(std::size_t count) {
  auto restored = Engine::restore(snapshot_);
  if (!restored) return checker_.violate("I6", "a snapshot is refused: " + restored.error().detail);
  engine_ = std::move(*restored);
  checker_ = snapshot_checker_;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t digest = engine_step(journal_[i].event, engine_);
    checker_.compare(engine_);
    ++report_.replayed;
    if (digest != journal_[i].actions_digest) {
      if (options_.trace != nullptr) {
        *options_.trace << "live:\n" << journal_[i].told << "replayed:\n" << told();
      }
      checker_.violate("I6", "replayed, the engine answers " +
                                 std::string{name_of(journal_[i].event)} +
                                 " otherwise than it did");
    }
    if (is_over()) return;
  }
}

// Ids may be others now: a lost tail can hold the configuration that made them. What runs is known
// by its name; what is under way at the crash dies with the daemon, and at times everything does.
void World::rebuild_processes() {
  const bool all_end = prng_.chance(0.4);
  std::map<std::string, Process> before;
  for (Process& process : processes_) {
    // What is asleep is woken to be taken over.
    if (process.life == Life::asleep) {
      process.life = Life::running;
      process.size = process.awake;
    }
    const bool survives = process.life == Life::running && !all_end && !prng_.chance(0.1);
    if (survives) before.emplace(process.name, process);
  }
  processes_.assign(engine_.component_count(), Process{});
  for (std::uint32_t i = 0; i < processes_.size(); ++i) {
    Process& process = processes_[i];
    process.name = engine_.component(ComponentId{i}).name;
    const auto found = before.find(process.name);
    if (found != before.end()) process = found->second;
    process.is_open = false;
    process.fast = 0;
  }
}

}  // namespace hearth::sim

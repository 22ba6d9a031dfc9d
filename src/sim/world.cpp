#include "sim/world.h"

#include <algorithm>
#include <ostream>

#include "sim/trace.h"

namespace hearth::sim {
namespace {

constexpr std::uint64_t steps_at_instant_max = 20'000;
constexpr std::uint64_t full_check_every = 64;

}  // namespace

World::World(const SimOptions& options)
    : options_(options),
      prng_(options.seed),
      workload_(options.seed, options.components),
      faults_(options.seed, options.has_faults, options.virtual_time),
      configuration_(workload_.configuration()) {
  report_.options = options;
  report_.policy = configuration_.settings.policy;
}

void World::add(Kind kind, Instant at, std::uint64_t a, std::uint64_t b) {
  const bool is_of_daemon = kind == Kind::finish_load || kind == Kind::finish_unload ||
                            kind == Kind::finish_hibernate || kind == Kind::release_held ||
                            kind == Kind::deliver || kind == Kind::abandon || kind == Kind::probe;
  heap_.push({.at = std::max(at, now_),
              .sequence = next_sequence_++,
              .kind = kind,
              .is_of_daemon = is_of_daemon,
              .incarnation = incarnation_,
              .slot = 0,
              .a = a,
              .b = b});
}

void World::deliver(Event::What what, Duration after) {
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(parked_.size());
    parked_.push_back(std::move(what));
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
    parked_[slot] = std::move(what);
  }
  heap_.push({.at = now_ + after,
              .sequence = next_sequence_++,
              .kind = Kind::deliver,
              .is_of_daemon = true,
              .incarnation = incarnation_,
              .slot = slot,
              .a = 0,
              .b = 0});
}

void World::start() {
  now_ = Instant{} + 1s;
  other_use_ = other_goal_ = Bytes{workload_.budget().count / 10};
  step(event::Configured{configuration_});
  take_snapshot();
  const Duration whole = options_.virtual_time;
  const auto share = [&](std::int64_t per_mille) { return Instant{} + whole / 1000 * per_mille; };
  add(Kind::snapshot, now_ + 100s);
  add(Kind::sample, now_ + 1s);
  add(Kind::command, now_ + 2s);
  add(Kind::lease, now_ + 5s);
  add(Kind::fast_lease, now_ + 10s);
  add(Kind::operate, now_ + 60s);
  add(Kind::signal, now_ + 30s);
  add(Kind::garble, now_ + 90s);
  add(Kind::heal, share(850));
  add(Kind::quiesce, share(900));
  add(Kind::shut_down, probes_end());
  add(Kind::end, Instant{} + whole);
  for (const FaultKind& kind : fault_kinds()) {
    if (kind.every == Duration{0} || !options_.has_faults) continue;
    add(Kind::fault, faults_.next_at(kind.fault, now_), static_cast<std::uint64_t>(kind.fault));
  }
}

SimReport World::run() {
  start();
  bool has_ended = false;
  while (!has_ended && !is_over() && !heap_.empty()) {
    const Instant next = std::min(heap_.top().at, armed_);
    if (next > now_) {
      now_ = next;
      steps_at_instant_ = 0;
    }
    if (armed_ <= now_ && armed_ <= heap_.top().at) {
      armed_ = Instant::never();
      step(event::TimerFired{});
      continue;
    }
    const Item item = heap_.top();
    heap_.pop();
    if (item.is_of_daemon && item.incarnation != incarnation_) {
      if (item.kind == Kind::deliver) free_slots_.push_back(item.slot);
      continue;
    }
    has_ended = item.kind == Kind::end;
    pass(item);
  }
  if (!is_over()) checker_.compare_all(engine_);
  if (!is_over() && !is_stopped_) checker_.violate("I5", "the shutdown does not come to its end");
  finish(report_);
  return std::move(report_);
}

void World::pass(const Item& item) {
  switch (item.kind) {
    case Kind::deliver: {
      Event::What what = std::move(parked_[item.slot]);
      free_slots_.push_back(item.slot);
      return step(std::move(what));
    }
    case Kind::finish_load:
      return finish_load(WorkId{item.a}, item.b);
    case Kind::finish_unload:
      return finish_unload(WorkId{item.a}, item.b);
    case Kind::finish_hibernate:
      return finish_hibernate(WorkId{item.a}, item.b);
    case Kind::release_held:
      return release_held();
    case Kind::sample:
      return sample();
    case Kind::command:
      return command();
    case Kind::lease:
      return lease();
    case Kind::fast_lease:
      return fast_lease();
    case Kind::operate:
      return operate();
    case Kind::signal:
      if (is_quiet_) return;
      add(Kind::signal, now_ + arrival(prng_, 60s));
      return step(event::SignalReceived{.name = "typing", .session = SessionId{7}});
    case Kind::garble:
      return garble();
    case Kind::release_lease:
      return release_lease(LeaseId{item.a});
    case Kind::renew_lease:
      return renew_lease(LeaseId{item.a});
    case Kind::report_use: {
      std::vector<ComponentId> used;
      if (const auto picked = pick()) used.push_back(*picked);
      return step(event::UseReported{
          .request = ask(Client::plain), .command = CommandId{item.a}, .used = std::move(used)});
    }
    case Kind::abandon:
      if (!pending_.contains(RequestId{item.a})) return;
      pending_.erase(RequestId{item.a});
      faults_.done(Fault::client_abandoned);
      return step(event::RequestAbandoned{RequestId{item.a}});
    case Kind::fault:
      return strike(static_cast<Fault>(item.a));
    case Kind::restore_budget:
      return restore_budget();
    case Kind::snapshot:
      add(Kind::snapshot, now_ + between(prng_, 60s, 600s));
      return take_snapshot();
    case Kind::heal:
      return heal();
    case Kind::quiesce:
      return quiesce();
    case Kind::probe:
      return probe();
    case Kind::shut_down:
      return shut_down();
    case Kind::end:
      return;
  }
}

// The time that the shell reads: once, after a jump, it is off.
Instant World::stamp() {
  const Duration off = std::exchange(jump_, Duration{0});
  return now_ + off;
}

// One step, into the digest; the sum of its actions alone is handed back.
std::uint64_t World::engine_step(const Event& event, Engine& engine) {
  actions_.clear();
  checker_.before(event, engine);
  engine.step(event, actions_);
  if (options_.tamper) options_.tamper(event, actions_, engine);
  writer_.clear();
  for (const Action& action : actions_) writer_(action);
  Digest digest;
  digest.add(writer_.bytes());
  checker_.apply(event, actions_);
  return digest.value();
}

void World::step(Event::What what) {
  const bool is_timer = std::holds_alternative<event::TimerFired>(what);
  Event event{.at = is_timer ? now_ : stamp(), .what = std::move(what)};
  if (event_names_[event.what.index()].empty()) {
    event_names_[event.what.index()] = std::string{name_of(event)};
  }
  ++event_counts_[event.what.index()];
  if (options_.trace != nullptr) *options_.trace << to_text(event, engine_) << '\n';
  const std::uint64_t actions_digest = engine_step(event, engine_);
  writer_.clear();
  writer_(event);
  digest_.add(writer_.bytes());
  digest_.add(actions_digest);
  ++report_.steps;
  if (options_.trace != nullptr) *options_.trace << told();
  checker_.compare(engine_);
  const bool is_large = std::holds_alternative<event::Configured>(event.what) ||
                        std::holds_alternative<event::Restored>(event.what);
  if (is_large || report_.steps % full_check_every == 0) checker_.compare_all(engine_);
  journal_.push_back({std::move(event), actions_digest, options_.trace != nullptr ? told() : ""});
  if (++steps_at_instant_ > steps_at_instant_max) {
    checker_.violate("I5", "time stands still: the timer is armed for now, again and again");
  }
  if (is_over()) return;
  perform_all();
  if (options_.reload_every != 0 && report_.steps % options_.reload_every == 0) {
    auto restored = Engine::restore(engine_.snapshot());
    HEARTH_ASSERT(restored.has_value());
    engine_ = std::move(*restored);
  }
}

std::string World::told() const {
  std::string text;
  for (const Action& action : actions_) text += to_text(action, engine_) + '\n';
  return text;
}

// Performing schedules and never steps, so that `actions_` stays what it is.
void World::perform_all() {
  if (processes_.size() < engine_.component_count()) {
    const std::size_t before = processes_.size();
    processes_.resize(engine_.component_count());
    for (std::size_t i = before; i < processes_.size(); ++i) {
      processes_[i].name = engine_.component(ComponentId{static_cast<std::uint32_t>(i)}).name;
    }
  }
  for (const Action& action : actions_) {
    std::visit([this](const auto& what) { perform(what); }, action);
  }
}

void World::take_snapshot() {
  snapshot_ = engine_.snapshot();
  snapshot_checker_ = checker_;
  journal_.clear();
  ++report_.snapshots;
}

void World::heal() {
  other_goal_ = Bytes{workload_.budget().count / 10};
  other_until_ = Instant::never();
  reconfigure(workload_.configuration());
}

// Clients go home, so that what is asked for next stands alone.
void World::quiesce() {
  is_quiet_ = true;
  std::vector<LeaseId> leases;
  for (const LeaseView& view : engine_.leases()) leases.push_back(view.id);
  for (const LeaseId id : leases) {
    if (is_over()) return;
    step(event::LeaseReleased{.request = ask(Client::plain), .lease = id});
  }
  for (std::uint32_t i = 0; i < engine_.component_count() && !is_over(); ++i) {
    if (!engine_.component(ComponentId{i}).is_pinned) continue;
    step(event::PinRequested{
        .request = ask(Client::plain), .component = ComponentId{i}, .is_pinned = false});
  }
  add(Kind::probe, now_ + std::max<Duration>(options_.virtual_time / 50, 62s));
}

void World::shut_down() {
  check_core();
  if (checker_.outstanding() > (probe_ ? 1U : 0U)) {
    checker_.violate("I5", "requests still wait, long after the last one was made");
  }
  if (!is_over()) step(event::ShutdownRequested{});
}

Instant World::probes_end() const { return Instant{} + options_.virtual_time / 1000 * 988; }

void World::finish(SimReport& report) {
  report.digest = digest_.value();
  report.violation = checker_.violation();
  if (report.violation && options_.trace != nullptr) *options_.trace << state_table(engine_);
  const Totals& totals = engine_.totals();
  report.loads = totals.loads;
  report.unloads = totals.unloads;
  report.evictions = totals.evictions;
  for (std::size_t i = 0; i < event_counts_.size(); ++i) {
    if (event_counts_[i] > 0) report.events.emplace_back(event_names_[i], event_counts_[i]);
  }
  for (const FaultKind& kind : fault_kinds()) {
    report.faults[static_cast<std::size_t>(kind.fault)] = faults_.count(kind.fault);
  }
  if (options_.virtual_time < 24h || options_.components < 64 || report.violation) return;
  if (report.steps < steps_least_a_day) report.shortfalls.push_back("steps");
  if (report.commands < commands_least_a_day) report.shortfalls.push_back("commands");
  if (!options_.has_faults) return;
  for (const FaultKind& kind : fault_kinds()) {
    if (faults_.count(kind.fault) >= faults_least_a_day) continue;
    report.shortfalls.push_back("fault: " + std::string{kind.name});
  }
}

}  // namespace hearth::sim

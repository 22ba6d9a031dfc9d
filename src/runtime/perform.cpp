// Actions of the core, done. Nothing is decided here.
#include <algorithm>

#include "codec/decision_text.h"
#include "runtime/daemon_state.h"

namespace hearth {

void Daemon::Impl::perform(const action::StartLoad& action) {
  loads[action.work] = action.component;
  if (is_replaying) return;
  // What could not be told after a restart is not begun: unloads go on, loads wait for the disk.
  if (intake->is_failing()) {
    tell(event::LoadFinished{.work = action.work,
                             .outcome = WorkOutcome::failed,
                             .detail = name(action.component) +
                                       ": not loaded, because the journal " +
                                       "cannot be written: " + intake->failure()});
    return;
  }
  const auto seen = view();
  const auto launch = seen->launches.find(action.component);
  const ComponentView component = engine.component(action.component);
  LoadJob job;
  Driver* driver = nullptr;
  std::string reason = name(action.component) + ": it is not in the configuration any more";
  if (launch != seen->launches.end()) {
    job.launch = launch->second;
    reason = job.launch.name + ": there is no driver for `kind: " + job.launch.kind + "`";
    for (const auto& one : options.drivers) {
      if (one->kind() == job.launch.kind) driver = one.get();
    }
  }
  job.work = action.work;
  job.priority = component.priority;
  job.state_dir = state_dir + "/components/" + std::string{component.name};
  job.run_dir = run_dir;
  job.log_path = state_dir + "/logs/" + std::string{component.name} + ".log";
  job.timeout = load_timeout_of(action.component);
  job.limit = job.timeout;
  // The driver gives up a little earlier than the core would, because it can say why.
  job.timeout -= std::min<Duration>(100ms, job.timeout / 20);
  components->expect(action.work);
  workers->post([this, id = action.component, job = std::move(job), driver, reason] {
    components->load(id, job, driver, reason);
  });
}

void Daemon::Impl::perform(const action::CancelLoad& action) {
  if (!is_replaying) components->cancel(action.work);
}

void Daemon::Impl::perform(const action::OpenGate& action) {
  if (!is_replaying) gates[action.component.value]->open();
}

void Daemon::Impl::perform(const action::CloseGate& action) {
  if (is_replaying) return;
  const auto held = gates[action.component.value]->close();
  if (held) {
    tell(event::GateRefused{.component = action.component, .leases = *held});
  } else {
    tell(event::GateClosed{.component = action.component});
  }
}

void Daemon::Impl::perform(const action::BarGate& action) {
  if (!is_replaying) gates[action.component.value]->bar();
}

void Daemon::Impl::perform(const action::ReleaseGate& action) {
  if (!is_replaying) gates[action.component.value]->release();
}

void Daemon::Impl::perform(const action::StartUnload& action) {
  if (is_replaying) return;
  workers->post([this, action] { components->unload(action.component, action.work); });
}

void Daemon::Impl::perform(const action::StartHibernate& action) {
  if (is_replaying) return;
  components->expect(action.work);
  hibernator->post([this, action] { components->hibernate(action.component, action.work); });
}

void Daemon::Impl::perform(const action::StartResume& action) {
  loads[action.work] = action.component;
  if (is_replaying) return;
  // The driver gives up a little earlier than the core would, because it can say why.
  const Duration limit = load_timeout_of(action.component);
  components->expect(action.work);
  workers->post([this, action, timeout = limit - std::min<Duration>(100ms, limit / 20)] {
    components->resume(action.component, action.work, timeout);
  });
}

Duration Daemon::Impl::load_timeout_of(ComponentId id) const {
  const std::string_view name = engine.component(id).name;
  for (const Spec& spec : config.core.components) {
    if (spec.name == name && spec.load_timeout) return *spec.load_timeout;
  }
  return engine.settings().load_timeout;
}

void Daemon::Impl::perform(const action::ArmTimer& action) {
  if (is_replaying) return;
  timer_wanted = action.at;
}

void Daemon::Impl::perform(action::Reply& action) {
  if (is_replaying) return;
  if (action.lease) {
    for (const action::ReplyComponent& held : action.components) note_used(held.component);
  }
  Pending waiting;
  bool is_waited_for = false;
  {
    const MutexLock guard{pending_mutex};
    const auto found = pending.find(action.request);
    if (found != pending.end()) {
      is_waited_for = true;
      waiting = std::move(found->second);
      pending.erase(found);
    }
  }
  if (!is_waited_for) {
    // Nobody takes this answer: what it grants is given back.
    if (action.request && action.is_granted && action.lease)
      tell(event::RequestAbandoned{action.request});
    return;
  }
  std::optional<Bytes> guess;
  if (!action.is_granted && is_unmeasured(action.component)) {
    const Settings& settings = engine.settings();
    guess = std::min(settings.unknown_memory, settings.budget);
  }
  std::string detail = refusal_text(action, name_of(), guess);
  const auto error = last_errors.find(action.component);
  if (!action.is_granted && action.reason == Reason::load_failed && error != last_errors.end()) {
    detail += ": " + error->second;
  }
  answer(waiting, std::move(action), std::move(detail));
}

void Daemon::Impl::perform(const action::LeaseEnded&) {}

void Daemon::Impl::perform(const action::Learn& action) {
  chronicle.learnt(sequence, sequence_unix_ms, action, name_of());
}

void Daemon::Impl::perform(const action::Record& action) {
  const StreamItem item{.sequence = sequence,
                        .unix_ms = sequence_unix_ms,
                        .decision = action.decision,
                        .is_last = --records_left == 0};
  chronicle.decided(item, name_of());
  if (is_replaying || !log->is_on(LogLevel::info)) return;
  const Decision& decision = action.decision;
  const auto is_guess = [this](ComponentId id) { return is_unmeasured(id); };
  log->write(LogLevel::info, to_text(decision, name_of(), is_guess),
             decision.has_component ? name(decision.component) : std::string{});
  if (decision.kind == DecisionKind::load_failed) {
    const auto error = last_errors.find(decision.component);
    if (error != last_errors.end()) log->warn(error->second);
  }
}

void Daemon::Impl::perform(const action::Stopped&) {
  if (is_replaying) return;
  is_stopped = true;
  save(true);
}

}  // namespace hearth

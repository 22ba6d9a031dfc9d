// How a daemon begins: what was, what still runs, what is configured.
#include <algorithm>
#include <cstdio>

#include "runtime/clock.h"
#include "runtime/daemon_state.h"

namespace hearth {

Result<> Daemon::Impl::start() {
  HEARTH_TRY(make_directories(state_dir));
  HEARTH_TRY(make_directories(run_dir));
  HEARTH_TRY(make_directories(state_dir + "/logs"));
  lock = HEARTH_TRY(LockFile::take(state_dir + "/lock"));
  Recovered recovered = Journal::recover(state_dir);
  for (const std::string& text : recovered.troubles) trouble("recovered", text);
  const bool is_restored = restore(recovered);
  // Rows of the history are told apart by these numbers: none is used twice.
  if (options.history && !is_restored) {
    recovered.last_sequence = std::max(recovered.last_sequence, options.history->last_sequence());
  }
  reserve = config.reserve.count;
  const Duration offset = [&] {
    Duration found{0};
    if (recovered.snapshot && recovered.snapshot->boot_id == boot_id()) {
      found = recovered.snapshot->clock_offset;
    }
    return std::max(found, engine.now() - boot_now());
  }();
  intake = std::make_unique<Intake>(Journal{state_dir},
                                    Intake::Begin{.last_sequence = recovered.last_sequence,
                                                  .is_first = !is_restored,
                                                  .clock_offset = offset,
                                                  .not_before = engine.now()});
  sequence = recovered.last_sequence;
  begin_threads();
  take_up(recovered, is_restored);
  core = std::thread{[this] { run(); }};
  return {};
}

// The engine as it was at the last event that is known. False: a cold start.
bool Daemon::Impl::restore(Recovered& recovered) {
  ReplayMark mark{state_dir};
  if (const auto poisoned = mark.poisoned()) {
    set_aside_for(*poisoned, recovered);
    mark.end();
    return false;
  }
  if (recovered.snapshot) {
    // An engine may fall over its own snapshot as well: that counts as its last event.
    mark.begin(recovered.snapshot->sequence);
    auto restored = Engine::restore(recovered.snapshot->engine);
    if (!restored) {
      trouble("snapshot", restored.error().detail + "; it was set aside");
      Journal::set_all_aside(state_dir, "corrupt");
      recovered.tail.clear();
      mark.end();
      return false;
    }
    engine = std::move(*restored);
    next_request = recovered.snapshot->next_request;
    next_command = recovered.snapshot->next_command;
    next_lease = recovered.snapshot->next_lease;
  }
  if (!recovered.snapshot && recovered.tail.empty()) {
    mark.end();
    return false;
  }
  is_replaying = true;
  for (const JournalRecord& record : recovered.tail) {
    mark.begin(record.sequence);
    step(record);
    if (const auto* command = std::get_if<event::CommandReceived>(&record.event.what)) {
      next_command = std::max(next_command.load(), command->command.value + 1);
      next_request = std::max(next_request.load(), command->request.value + 1);
    } else if (const auto* taken = std::get_if<event::LeaseTaken>(&record.event.what)) {
      next_lease = std::max(next_lease.load(), (taken->lease.value & ~fast_bit) + 1);
      next_command = std::max(next_command.load(), taken->command.value + 1);
    }
  }
  is_replaying = false;
  mark.end();
  // Requests of other kinds are not looked into: a gap is wide enough for what the queue holds.
  next_request += 100'000;
  return true;
}

void Daemon::Impl::set_aside_for(std::uint64_t poisoned, const Recovered& recovered) {
  for (const JournalRecord& record : recovered.tail) {
    if (record.sequence != poisoned) continue;
    const auto bytes = encode_record(record.sequence, record.unix_ms, record.event);
    (void)write_file(state_dir + "/skipped-" + std::to_string(poisoned) + ".event", bytes);
  }
  Journal::set_all_aside(state_dir, "aborted");
  trouble("replay",
          "event " + std::to_string(poisoned) +
              " ended the daemon twice; its state was set aside (*.aborted), the event is "
              "kept in skipped-" +
              std::to_string(poisoned) + ".event, and the daemon starts cold");
}

void Daemon::Impl::begin_threads() {
  clerk = std::make_unique<Workers>(1U);
  workers = std::make_unique<Workers>(std::max(16U, config.core.settings.loads_parallel_max + 2));
  components = std::make_unique<Components>([this](Event::What what) { tell(std::move(what)); });
  watcher = std::make_unique<Watcher>(Watcher::Calls{
      .on_readable =
          [this](std::uint64_t token) {
            workers->post([this, token] { components->clear_exited(WorkId{token}); });
          },
      .on_timer = [this] { tell(event::TimerFired{}); },
      .on_sample =
          [this] {
            if (!is_sampling.exchange(true)) workers->post([this] { sample(); });
          },
  });
  components->use_watcher(watcher.get());
}

void Daemon::Impl::take_up(const Recovered& recovered, bool is_restored) {
  const Configuration resolved = resolve_budget(config, options.machine->memory_total());
  const auto configure = [&] {
    const auto appended = intake->append(event::Configured{resolved}, Intake::Kind::internal);
    configs_coming.emplace(*appended, config);
    turn(false);
  };
  publish_view();
  if (is_restored) {
    tell(find_running());
    sample();
    turn(false);
    configure();
  } else {
    // What the core wants loaded is started once it knows what runs already.
    is_dropping_loads = true;
    sample();
    configure();
    if (options.history) {
      auto learnt = options.history->load_learnt();
      if (learnt && !learnt->empty()) tell(event::LearntBefore{std::move(*learnt)});
    }
    turn(false);
    is_dropping_loads = false;
    tell(find_running());
    turn(false);
  }
  if (options.history) {
    clerk->post([this, days = config.history_days, size = config.history_size_max] {
      (void)options.history->prune(unix_ms_now(), days, size);
    });
  }
  if (recovered.last_sequence > 0) save(false);
  log->info("hearth " + options.version + " started: " + std::to_string(engine.component_count()) +
            " components, state in " + state_dir);
}

event::Restored Daemon::Impl::find_running() {
  event::Restored restored;
  for (const auto& driver : options.drivers) {
    for (Adopted& adopted : driver->adopt(run_dir)) {
      const auto id = engine.find(adopted.name);
      const bool is_known = id && std::ranges::any_of(config.launches, [&](const Launch& launch) {
                              return launch.name == adopted.name;
                            });
      if (!is_known) {
        log->warn(adopted.name + ": still runs, but is not configured any more; it is ended");
        adopted.instance->unload();
        continue;
      }
      const Bytes measured = adopted.instance->measure().anonymous;
      if (components->adopt(*id, adopted.work, std::move(adopted.instance))) {
        restored.running.push_back({*id, adopted.work, measured});
      }
    }
  }
  return restored;
}

}  // namespace hearth

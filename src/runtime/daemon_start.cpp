// How a daemon begins: what was, what still runs, what is configured.
#include <algorithm>
#include <cstdio>

#include "runtime/clock.h"
#include "runtime/daemon_state.h"

namespace hearth {

namespace {

// The engine's own requests have the top bit; ours count from 1.
std::uint64_t request_of(const Event::What& what) {
  const std::uint64_t found = std::visit(
      [](const auto& one) -> std::uint64_t {
        if constexpr (requires { one.request.value; }) return one.request.value;
        return 0;
      },
      what);
  return (found & fast_bit) != 0 ? 0 : found;
}

void go_past(std::atomic<std::uint64_t>& next, std::uint64_t used) {
  next = std::max(next.load(), used + 1);
}

// The same components, none of which is loaded by itself.
Configuration without_loads(Configuration configuration) {
  for (Spec& spec : configuration.components) {
    spec.is_lazy = true;
    if (spec.priority == Priority::core) spec.priority = Priority::high;
  }
  return configuration;
}

}  // namespace

Result<> Daemon::Impl::recover() {
  HEARTH_TRY(make_directories(state_dir));
  HEARTH_TRY(make_directories(run_dir));
  HEARTH_TRY(make_directories(state_dir + "/logs"));
  auto taken = LockFile::take(state_dir + "/lock");
  if (!taken && taken.error().code == Errc::io) {
    return fail(Errc::io, taken.error().detail + ": nothing could be kept: make " + state_dir +
                              " writable, or name another folder by `state:`");
  }
  lock = HEARTH_TRY(std::move(taken));
  Recovered recovered = Journal::recover(state_dir);
  for (const std::string& text : recovered.troubles) trouble("recovered", text);
  is_restored = restore(recovered);
  carried = std::move(recovered.carried);
  // Rows of the history are told apart by these numbers: none is used twice.
  sequence = recovered.last_sequence;
  if (options.history) sequence = std::max(sequence, options.history->last_sequence());
  is_first_start = sequence == 0;
  snapshot_sequence = sequence;  // the next is taken at once, by take_up()
  reserve = config.reserve.count;
  const Duration offset = [&] {
    Duration found{0};
    if (recovered.snapshot && recovered.snapshot->boot_id == boot_id()) {
      found = recovered.snapshot->clock_offset;
    }
    return std::max(found, engine.now() - boot_now());
  }();
  // Numbers that go on behind a gap are whole only behind a snapshot: before the first of them.
  std::string failure;
  if (is_restored && sequence != recovered.whole_until) {
    const auto saved = Journal::save(state_dir, snapshot_now(offset), snapshot_sync());
    if (!saved) failure = saved.error().detail;
  }
  intake =
      std::make_unique<Intake>(Journal{state_dir}, Intake::Begin{.last_sequence = sequence,
                                                                 .is_first = !is_restored,
                                                                 .clock_offset = offset,
                                                                 .not_before = engine.now(),
                                                                 .failure = std::move(failure)});
  return {};
}

void Daemon::Impl::begin() {
  begin_threads();
  take_up();
  // What they tell of comes after what was there at the start.
  for (const int alarm : options.machine->alarms()) watcher->watch_alarm(alarm);
  core = std::thread{[this] { run(); }};
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
      recovered.carried = recovered.snapshot->carried();
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
  replay(recovered.tail, mark);
  mark.end();
  return true;
}

void Daemon::Impl::replay(const std::vector<JournalRecord>& tail, ReplayMark& mark) {
  is_replaying = true;
  for (const JournalRecord& record : tail) {
    mark.begin(record.sequence);
    step(record);
    go_past(next_request, request_of(record.event.what));
    if (const auto* command = std::get_if<event::CommandReceived>(&record.event.what)) {
      go_past(next_command, command->command.value);
    } else if (const auto* taken = std::get_if<event::LeaseTaken>(&record.event.what)) {
      go_past(next_lease, taken->lease.value & ~fast_bit);
      go_past(next_command, taken->command.value);
    }
  }
  is_replaying = false;
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
  devices = std::make_unique<DeviceWatch>(std::move(options.devices));
  clerk = std::make_unique<Workers>(1U);
  workers = std::make_unique<Workers>(std::max(16U, config.core.settings.loads_parallel_max + 2));
  hibernator = std::make_unique<Workers>(1U);
  components = std::make_unique<Components>([this](Event::What what) { tell(std::move(what)); });
  watcher = std::make_unique<Watcher>(Watcher::Calls{
      .on_readable =
          [this](std::uint64_t token) {
            workers->post([this, token] { components->clear_exited(WorkId{token}); });
          },
      .on_timer = [this] { tell(event::TimerFired{}); },
      .on_sample = [this] { look(); },
      .on_alarm = [this] { look_for_alarm(); },
  });
  components->use_watcher(watcher.get());
}

void Daemon::Impl::take_up() {
  const Configuration resolved = resolve(config);
  publish_view();
  if (is_restored) {
    tell(adopt(find_running()));
    sample();
    turn(false);
    configure(resolved);
  } else {
    take_up_cold(resolved);
  }
  // A journal that fails is made whole by heal(), which saves before it clears the failure.
  if (!is_first_start && !intake->is_failing()) save(false);
  log->info("hearth " + options.version + " started: " + std::to_string(engine.component_count()) +
            " components, state in " + state_dir);
}

// Whom this machine lets hibernate.
void Daemon::Impl::mark_sleepers(Configuration& resolved, const Config& read) const {
  std::map<std::string_view, bool> can;  // by kind
  for (const auto& driver : options.drivers) {
    can[driver->kind()] = driver->can_hibernate().has_value();
  }
  for (Spec& spec : resolved.components) {
    const auto launch = std::ranges::find(read.launches, spec.name, &Launch::name);
    if (launch == read.launches.end()) continue;
    // What lies on a device stays there.
    const bool has_device = std::ranges::any_of(
        spec.devices, [](const ResourceNeed& need) { return need.resource != "page_cache"; });
    spec.can_hibernate = launch->hibernates && can[launch->kind] && !has_device;
  }
}

void Daemon::Impl::configure(const Configuration& resolved) {
  const auto appended = intake->append(event::Configured{resolved}, Intake::Kind::internal);
  configs_coming.emplace(*appended, config);
  turn(false);
}

// What runs already, what is known of the past and how short memory is come first, so that the
// first load is decided with them: they need names and limits, and so a configuration that loads
// nothing.
void Daemon::Impl::take_up_cold(const Configuration& resolved) {
  configure(without_loads(resolved));
  tell(learnt_before());
  tell(adopt(find_running()));
  sample();
  turn(false);
  configure(resolved);
  if (!carried) return;
  go_past(next_request, carried->next_request);
  go_past(next_command, carried->next_command);
  go_past(next_lease, carried->next_lease);
  for (const std::string& pinned : carried->pinned) {
    const auto id = engine.find(pinned);
    if (!id || engine.component(*id).is_removed) continue;
    tell(event::PinRequested{.request = RequestId{next_request.fetch_add(1)}, .component = *id});
  }
  turn(false);
}

// Of the history and of an engine of another version: the engine takes what knows more lives.
event::LearntBefore Daemon::Impl::learnt_before() {
  event::LearntBefore learnt;
  if (carried) {
    for (std::size_t i = 0; i < carried->learnt.size(); ++i) {
      const Carried::Figures& one = carried->learnt[i];
      event::Learnt known{
          .name = one.name, .lives = {one.peak}, .load_time = one.load_time, .devices = {}};
      if (i < carried->lives.size()) {
        known.lives = carried->lives[i].ram;
        known.devices = carried->lives[i].devices;
      }
      learnt.components.push_back(std::move(known));
    }
  }
  if (options.history) {
    auto kept = options.history->load_learnt();
    if (kept) learnt.components.insert(learnt.components.end(), kept->begin(), kept->end());
  }
  return learnt;
}

std::vector<Adopted> Daemon::Impl::find_running() {
  std::vector<Adopted> running;
  for (const auto& driver : options.drivers) {
    for (Adopted& adopted : driver->adopt(run_dir)) running.push_back(std::move(adopted));
  }
  return running;
}

event::Restored Daemon::Impl::adopt(std::vector<Adopted> running) {
  event::Restored restored;
  for (Adopted& adopted : running) {
    const auto id = engine.find(adopted.name);
    const bool is_known = id && std::ranges::any_of(config.launches, [&](const Launch& launch) {
                            return launch.name == adopted.name;
                          });
    if (!is_known) {
      log->warn(adopted.name + ": still runs, but is not configured any more; it is ended");
      adopted.instance->unload();
      continue;
    }
    const Bytes measured = adopted.instance->measure().held();
    if (components->adopt(*id, adopted.work, std::move(adopted.instance))) {
      restored.running.push_back({*id, adopted.work, measured});
    }
  }
  return restored;
}

}  // namespace hearth

#include "runtime/daemon.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "core/engine/engine.h"
#include "runtime/clock.h"
#include "runtime/daemon_state.h"

namespace hearth {
namespace {

constexpr std::size_t history_rows_max = 65536;

std::size_t drop_oldest(std::vector<HistoryEntry>& rows) {
  if (rows.size() <= history_rows_max) return 0;
  const std::size_t lost = rows.size() - history_rows_max;
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(lost));
  return lost;
}

}  // namespace

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::start(DaemonOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  Impl& parts = *impl;
  std::unique_ptr<Daemon> daemon{new Daemon{std::move(impl)}};
  HEARTH_TRY(parts.recover());
  if (parts.options.open_doors) HEARTH_TRY(parts.options.open_doors(*daemon));
  parts.begin();
  return daemon;
}

void Daemon::wait() {
  const MutexLock lock{impl_->over_mutex};
  while (!impl_->is_over) impl_->over.wait(impl_->over_mutex);
}

std::int64_t Daemon::unix_ms_of(Instant at) const { return impl_->unix_ms_of(at); }

Daemon::Impl::Impl(DaemonOptions given) : options(std::move(given)), config(options.config) {
  state_dir = config.state_dir;
  run_dir = state_dir + "/run";
  started_unix_ms = unix_ms_now();
  log = options.log
            ? options.log
            : std::make_shared<Log>(log_level_of(config.log_level), config.log_format == "json");
}

Daemon::Impl::~Impl() {
  for (const auto& driver : options.drivers) driver->observe({}, nullptr);
  if (components) components->cancel_all();
  if (core.joinable()) {
    intake->post([this] { is_stopped = true; });
    core.join();
  }
  // Its calls go to the workers, and their jobs call it.
  if (watcher) watcher->stop();
  hibernator.reset();
  workers.reset();
  clerk.reset();
  close_pending();
}

void Daemon::Impl::run() {
  while (!is_stopped) turn(true);
  close_pending();
  // The last snapshot is on its way: it is waited for here, so that wait() means it is on disk.
  std::promise<void> written;
  clerk->post([this, &written] {
    if (options.history) write_rows();
    written.set_value();
  });
  written.get_future().wait();
  const MutexLock guard{over_mutex};
  is_over = true;
  over.notify_all();
}

void Daemon::Impl::turn(bool is_waiting) {
  intake->take(events, tasks, is_waiting);
  if (config.is_journal_synced && !events.empty()) {
    const auto synced = intake->sync();
    if (!synced) trouble("journal sync", synced.error().detail);
  }
  for (const JournalRecord& record : events) step(record);
  // Before the tasks: who asks for the status right after a refusal finds its cause.
  if (intake->is_failing()) {
    trouble("journal", "not written, nothing new is loaded: " + intake->failure());
  }
  for (Intake::Task& task : tasks) task();
  tasks.clear();
  if (!unwanted.empty()) unload_unwanted();
  set_timer();
  is_anybody_waiting = engine.is_anybody_waiting();
  after_turn();
}

void Daemon::Impl::set_timer() {
  if (timer_wanted >= timer_set) return;
  timer_set = timer_wanted;
  watcher->arm(intake->boot_time(timer_set));
}

void Daemon::Impl::step(const JournalRecord& record) {
  sequence = record.sequence;
  sequence_unix_ms = record.unix_ms;
  const auto coming = configs_coming.find(sequence);
  if (coming != configs_coming.end()) {
    const bool is_kept_as_before = coming->second.history_days == config.history_days &&
                                   coming->second.history_size_max == config.history_size_max;
    if (!is_kept_as_before) prune_due = Instant{};
    config = std::move(coming->second);
    reserve = config.reserve.count;
  }
  if (const auto* finished = std::get_if<event::LoadFinished>(&record.event.what)) {
    const auto work = loads.find(finished->work);
    if (work != loads.end()) {
      if (finished->outcome == WorkOutcome::done) last_errors.erase(work->second);
      if (!finished->detail.empty()) last_errors[work->second] = finished->detail;
      loads.erase(work);
    }
  } else if (const auto* slept = std::get_if<event::HibernateFinished>(&record.event.what)) {
    if (!slept->detail.empty() && !is_replaying) log->warn(slept->detail);
  } else if (std::holds_alternative<event::TimerFired>(record.event.what)) {
    timer_set = Instant::never();
  } else if (const auto* exited = std::get_if<event::ComponentExited>(&record.event.what)) {
    last_errors[exited->component] = exited->detail;
  } else if (const auto* command = std::get_if<event::CommandReceived>(&record.event.what)) {
    chronicle.note(command->command, decode_note(command->note));
    chronicle.commanded(sequence, record.unix_ms, command->command);
  } else if (const auto* taken = std::get_if<event::LeaseTaken>(&record.event.what)) {
    if (taken->command) {
      chronicle.note(taken->command, decode_note(taken->note));
      chronicle.commanded(sequence, record.unix_ms, taken->command);
    }
    if (!is_replaying) std::ranges::for_each(taken->components, [this](auto id) { note_used(id); });
  }
  actions.clear();
  const auto began = std::chrono::steady_clock::now();
  engine.step(record.event, actions);
  if (!is_replaying) {
    measures.took_step(std::chrono::steady_clock::now() - began);
    measures.observe(engine, actions);
    const auto* sampled = std::get_if<event::MemorySampled>(&record.event.what);
    if (sampled != nullptr && !sampled->measured.empty()) note_idle();
  }
  if (coming != configs_coming.end()) {
    configs_coming.erase(coming);
    publish_view();
    observe_servers();
  }
  // What is performed may not step the engine: it appends.
  records_left = static_cast<std::size_t>(std::ranges::count_if(actions, [](const Action& action) {
    return std::holds_alternative<action::Record>(action);
  }));
  for (Action& action : actions) {
    std::visit([this](auto& what) { perform(what); }, action);
  }
  const auto reloaded = reloads_waiting.find(sequence);
  if (reloaded != reloads_waiting.end()) {
    reloaded->second({});
    reloads_waiting.erase(reloaded);
  }
}

// What somebody loaded past us is taken up as if it had been asked for here: it is accounted for
// from then on, and goes when others need its place.
void Daemon::Impl::observe_servers() {
  const auto appeared = [this](const Stranger& stranger) {
    intake->post([this, stranger] {
      const auto id = engine.find(stranger.name);
      if (!id || engine.component(*id).state != State::unloaded || engine.is_shutting_down())
        return;
      // For one that there was no room for it is tried again, and nothing is said again.
      const auto level = stranger.is_new ? LogLevel::info : LogLevel::debug;
      log->write(level, stranger.name + ": was loaded past hearth, and is taken over");
      const RequestId request{next_request.fetch_add(1)};
      const event::LoadRequested load{.request = request, .component = *id, .waits = false};
      const auto taken = intake->append(load, Intake::Kind::may_load);
      if (!taken && stranger.is_new) {
        log->warn(stranger.name + ": was loaded past hearth: " + taken.error().detail);
      }
    });
  };
  for (const auto& driver : options.drivers) driver->observe(config.launches, appeared);
}

void Daemon::Impl::after_turn() {
  keep_rows();
  prune_history();
  const bool is_ready = std::ranges::all_of(core_components, [this](ComponentId id) {
    return engine.component(id).state == State::ready;
  });
  is_core_ready.store(is_ready && !engine.is_shutting_down());
  const bool is_quiet = !components->is_any_resident() && engine.pressure() == Pressure::low;
  const Duration period = is_quiet ? options.idle_sample_period : options.sample_period;
  measure_period = period;
  // Far from any level, and with nothing to unload, what is looked at is not worth a word.
  constexpr Bytes far = 4_GiB;
  quiet_above = is_quiet && !is_anybody_waiting ? (engine.settings().pressure.below[0] + far).count
                                                : Bytes::unlimited().count + 1;
  const Duration next = std::min(period, engine.next_look());
  const bool is_much_later = next > look_period * 5 / 4 || next == period;
  if (watcher && next != look_period && (next < look_period || is_much_later)) {
    look_period = next;
    watcher->sample_every(next);
  }
  if (!intake->is_failing() && (sequence >= snapshot_sequence + options.snapshot_events ||
                                intake->file_bytes() >= options.snapshot_bytes)) {
    save(false);
  }
}

// A store that hangs or fails must not fill the memory: its oldest rows can be lost.
void Daemon::Impl::keep_rows() {
  auto rows = chronicle.take_rows();
  if (!options.history || rows.empty()) return;
  std::size_t lost = 0;
  {
    const MutexLock guard{rows_mutex};
    rows_waiting.insert(rows_waiting.end(), std::make_move_iterator(rows.begin()),
                        std::make_move_iterator(rows.end()));
    lost = drop_oldest(rows_waiting);
  }
  if (lost > 0) trouble("history rows", "the store does not keep up; the oldest rows are lost");
  write_rows_soon(false);
}

// After a failure only the next sample tries again.
void Daemon::Impl::write_rows_soon(bool is_retry) {
  {
    const MutexLock guard{rows_mutex};
    if (rows_waiting.empty() || is_writing_rows || (is_history_failing && !is_retry)) return;
    is_writing_rows = true;
  }
  clerk->post([this] { write_rows(); });
}

void Daemon::Impl::write_rows() {
  std::vector<HistoryEntry> taken;
  {
    const MutexLock guard{rows_mutex};
    taken.swap(rows_waiting);
    is_writing_rows = false;
  }
  if (taken.empty()) return;
  const auto applied = options.history->apply(taken);
  std::size_t lost = 0;
  {
    const MutexLock guard{rows_mutex};
    is_history_failing = !applied;
    if (!applied) {
      // Rows come in the order of their numbers, and the store drops what is behind its newest.
      taken.insert(taken.end(), std::make_move_iterator(rows_waiting.begin()),
                   std::make_move_iterator(rows_waiting.end()));
      rows_waiting = std::move(taken);
      lost = drop_oldest(rows_waiting);
    }
  }
  if (applied) {
    trouble_over("history");
    trouble_over("history rows");
    return;
  }
  trouble("history", applied.error().detail);
  if (lost > 0) trouble("history rows", "the store does not take them; the oldest are lost");
}

// At the start, when its limits change, and every so often with the daemon's own sampling.
void Daemon::Impl::prune_history() {
  if (!options.history || boot_now() < prune_due) return;
  prune_due = boot_now() + options.prune_period;
  clerk->post([this, days = config.history_days, size = config.history_size_max] {
    (void)options.history->prune(unix_ms_now(), days, size);
  });
}

void Daemon::Impl::publish_view() {
  const auto server_of = [this](const Launch& launch) {
    for (const auto& driver : options.drivers) {
      if (driver->kind() == launch.kind) return driver->server_of(launch);
    }
    return OwnServer{};
  };
  auto made = make_view(engine, config, options.make_classifier, server_of, gates);
  core_components.clear();
  std::map<ComponentId, Priority> priorities;
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentView view = engine.component(ComponentId{i});
    priorities.emplace(view.id, view.priority);
    if (view.priority == Priority::core && !view.is_removed) core_components.push_back(view.id);
  }
  if (workers) {
    components->note_priorities(std::move(priorities));
    workers->post([this] { components->follow(); });
  }
  const MutexLock guard{view_mutex};
  view_now = std::move(made);
}

Snapshot Daemon::Impl::snapshot_now(Duration clock_offset) const {
  Snapshot snapshot{.sequence = sequence,
                    .next_request = next_request.load(),
                    .next_command = next_command.load(),
                    .next_lease = next_lease.load(),
                    .clock_offset = clock_offset,
                    .boot_id = boot_id(),
                    .pinned = {},
                    .learnt = engine.learnt(),
                    .engine = engine.snapshot()};
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentView view = engine.component(ComponentId{i});
    if (view.is_pinned && !view.is_removed) snapshot.pinned.emplace_back(view.name);
  }
  return snapshot;
}

Sync Daemon::Impl::snapshot_sync() const {
  return config.is_journal_synced ? Sync::name_too : Sync::content;
}

void Daemon::Impl::save(bool is_last) {
  if (is_saving.exchange(true) && !is_last) return;
  Snapshot snapshot = snapshot_now(intake->clock_offset());
  snapshot_sequence = sequence;
  // From here on a file holds all that is newer, so the older ones can go once this is on disk.
  const auto rotated = intake->rotate(sequence);
  if (rotated) trouble_over("journal");
  clerk->post([this, snapshot = std::move(snapshot), sync = snapshot_sync(),
               is_rotated = rotated.has_value()]() mutable {
    const std::uint64_t saved = snapshot.sequence;
    const std::vector<event::Learnt> learnt = snapshot.learnt;
    const auto written = Journal::save(state_dir, std::move(snapshot), sync);
    if (written) {
      trouble_over("snapshot");
      if (is_rotated) Journal::forget_before(state_dir, saved + 1);
    } else {
      trouble("snapshot", written.error().detail);
    }
    if (options.history) (void)options.history->save_learnt(learnt);
    is_saving = false;
  });
}

// The journal missed events: only a snapshot that holds them makes it whole again.
void Daemon::Impl::heal() {
  if (!intake->is_failing() || is_saving) return;
  if (!Journal::save(state_dir, snapshot_now(intake->clock_offset()), snapshot_sync())) return;
  if (!intake->rotate(sequence)) return;
  snapshot_sequence = sequence;
  Journal::forget_before(state_dir, sequence + 1);
  trouble_over("journal");
  log->info("the journal can be written again");
}

// On the watcher's thread: what is short must be seen though all workers load. One in which nothing
// has happened is not told: it would wake the core for nothing.
void Daemon::Impl::look() {
  const Instant now = boot_now();
  looked_at = now;
  const Duration period = measure_period.load();
  measure_due = std::min(measure_due, now + period);
  // A tick may come a little early.
  if (now + period / 4 >= measure_due && !is_sampling.exchange(true)) {
    measure_due = now + period;
    workers->post([this] { sample(); });
  }
  event::MemorySampled sampled = signs_now();
  const bool is_quiet = sampled.available.count >= quiet_above.load();
  const Bytes change = less(std::max(sampled.available, told.available),
                            std::min(sampled.available, told.available));
  constexpr Bytes change_min = 128_MiB;
  const bool is_same =
      sampled.stalled == told.stalled && sampled.swapped == told.swapped && change < change_min;
  if (is_quiet && is_same) return;
  told = {.available = sampled.available,
          .is_own_limit = sampled.is_own_limit,
          .stalled = sampled.stalled,
          .swapped = sampled.swapped};
  tell(std::move(sampled));
}

// The kernel tells of a limit that is met again and again up to a hundred times a second.
void Daemon::Impl::look_for_alarm() {
  constexpr Duration quiet = 50ms;
  if (boot_now() - looked_at >= quiet) look();
}

event::MemorySampled Daemon::Impl::signs_now() const {
  const MemorySigns signs = options.machine->memory_signs();
  return {.available = less(signs.available, Bytes{reserve.load()}),
          .measured = {},
          .is_own_limit = signs.is_own_limit,
          .stalled = signs.stalled,
          .swapped = signs.swapped};
}

// Batteries last: once in a while is enough, and of mains it is told when they come. The first look
// is told whatever it is: the engine may be one from before.
void Daemon::Impl::look_at_power() {
  constexpr Duration period = 30s;
  if (boot_now() < power_due) return;
  power_due = boot_now() + period;
  const PowerSigns power = options.machine->power_signs();
  if (power_told && !power.is_on_battery && !power_told->is_on_battery) return;
  power_told = power;
  tell(event::PowerSampled{.is_on_battery = power.is_on_battery, .charge = power.charge});
}

void Daemon::Impl::sample() {
  look_at_power();
  components->follow();
  // What is known of devices is part of what each component holds.
  std::vector<event::DeviceHeld> devices_held = sample_devices();
  auto measured = components->measure();
  event::MemorySampled sampled = signs_now();
  sampled.measured = std::move(measured);
  sampled.devices = std::move(devices_held);
  tell(std::move(sampled));
  if (intake->is_failing()) intake->post([this] { heal(); });
  write_rows_soon(true);
  is_sampling = false;
}

void Daemon::Impl::close_pending() {
  std::unordered_map<RequestId, Pending> left;
  {
    const MutexLock guard{pending_mutex};
    is_closed = true;
    left.swap(pending);
  }
  for (auto& [request, waiting] : left) {
    action::Reply reply{
        .request = request, .code = Errc::unavailable, .reason = Reason::shutting_down};
    answer(waiting, std::move(reply), "the daemon has ended");
  }
}

void Daemon::Impl::tell(Event::What what) {
  if (const auto* exited = std::get_if<event::ComponentExited>(&what)) {
    const auto seen = view();
    if (exited->component.value < seen->gates.size()) seen->gates[exited->component.value]->bar();
  }
  (void)intake->append(std::move(what), Intake::Kind::internal);
}

void Daemon::Impl::trouble(const std::string& key, const std::string& text) {
  bool is_new = false;
  {
    const MutexLock guard{troubles_mutex};
    is_new =
        troubles.try_emplace(key, key + ": " + text + " (since " + log_time(unix_ms_now()) + ")")
            .second;
  }
  if (is_new) log->error(key + ": " + text);
}

void Daemon::Impl::trouble_over(const std::string& key) {
  const MutexLock guard{troubles_mutex};
  troubles.erase(key);
}

void Daemon::Impl::troubles_over(std::string_view beginning) {
  const MutexLock guard{troubles_mutex};
  std::erase_if(troubles, [&](const auto& entry) { return entry.first.starts_with(beginning); });
}

std::shared_ptr<const View> Daemon::Impl::view() const {
  const MutexLock guard{view_mutex};
  return view_now;
}

std::string Daemon::Impl::name(ComponentId id) const {
  return id.value < engine.component_count() ? std::string{engine.component(id).name}
                                             : "component " + std::to_string(id.value);
}

NameOf Daemon::Impl::name_of() const {
  return [this](ComponentId id) { return name(id); };
}

bool Daemon::Impl::is_unmeasured(ComponentId id) const {
  if (id.value >= engine.component_count()) return false;
  const ComponentView seen = engine.component(id);
  return seen.peak == Bytes{} && seen.declared == Bytes{};
}

std::int64_t Daemon::Impl::unix_ms_of(Instant at) const {
  return unix_ms_now() - static_cast<std::int64_t>(milliseconds(intake->now() - at));
}

}  // namespace hearth

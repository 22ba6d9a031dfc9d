// The daemon's parts and who touches them. Private to runtime/.
//
// Contract   the core thread alone touches the engine and what is listed with it. Before that
//            thread runs, start() is in its place.
// Threads    as said at each group of members.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/chronicle.h"
#include "runtime/components.h"
#include "runtime/daemon.h"
#include "runtime/intake.h"
#include "runtime/measures.h"
#include "runtime/watcher.h"
#include "runtime/workers.h"

namespace hearth {

// Ids of fast leases, and of the requests that were answered by one.
inline constexpr std::uint64_t fast_bit = std::uint64_t{1} << 63;

struct Daemon::Impl {
  explicit Impl(DaemonOptions options);
  ~Impl();
  void observe_servers();
  void set_timer();
  void keep(ComponentId id, Duration span);
  [[nodiscard]] LeaseId kept(ComponentId id) const;
  void end_kept(const std::vector<ComponentId>& ids);
  void unload_unwanted();

  struct Pending {
    AnswerCallback callback;
    std::vector<Intent> intents;
  };

  // --- set by start(), then constant ---
  DaemonOptions options;
  std::string state_dir;
  std::string run_dir;
  std::shared_ptr<Log> log;
  std::int64_t started_unix_ms = 0;
  std::optional<LockFile> lock;
  std::unique_ptr<Intake> intake;
  std::optional<Carried> carried;  // what another version of the engine has left
  bool is_restored = false;
  bool is_first_start = true;  // of this state directory

  // --- the core thread's ---
  Engine engine;
  Config config;
  std::vector<std::unique_ptr<Gate>> gates;
  Chronicle chronicle;
  std::map<std::uint64_t, Config> configs_coming;  // by the sequence of their event
  std::map<std::uint64_t, std::move_only_function<void(Result<>)>> reloads_waiting;
  std::map<WorkId, ComponentId> loads;  // under way
  std::map<ComponentId, std::string> last_errors;
  std::vector<ComponentId> core_components;
  std::vector<ComponentId> idle_now;  // in order; as of the last sample, less what is used since
  std::set<ComponentId> unwanted;     // to be unloaded when nobody holds them
  std::uint64_t snapshot_sequence = 0;
  std::uint64_t sequence = 0;  // of the event being stepped
  std::int64_t sequence_unix_ms = 0;
  bool is_replaying = false;
  bool is_stopped = false;
  Duration look_period{0};
  std::size_t records_left = 0;  // of the event being stepped, the one being performed included
  Instant prune_due{};           // of the clock of the machine
  // The timer is set anew only for an earlier time: deadlines move on with every use, and one that
  // fires for nothing costs less than setting it each time.
  Instant timer_wanted = Instant::never();
  Instant timer_set = Instant::never();
  std::vector<Action> actions;
  std::vector<JournalRecord> events;
  std::vector<Intake::Task> tasks;

  // --- the watcher thread's ---
  Instant measure_due{};
  Instant looked_at{};
  MemorySigns told{.available = Bytes{}};

  // --- the sampler's, one at a time ---
  Instant power_due{};
  std::optional<PowerSigns> power_told;

  // --- any thread's ---
  std::atomic<Duration> measure_period{Duration{1s}};                    // of the components
  std::atomic<std::uint64_t> quiet_above{Bytes::unlimited().count + 1};  // available: no news
  std::atomic<std::uint64_t> next_request{1};
  std::atomic<std::uint64_t> next_command{1};
  std::atomic<bool> is_anybody_waiting{true};  // as of the core's last turn
  std::atomic<std::uint64_t> next_lease{1};
  std::atomic<std::uint64_t> reserve{0};  // bytes of memory never to be used
  std::atomic<bool> is_core_ready{false};
  std::atomic<bool> is_shutting_down{false};
  std::atomic<bool> is_sampling{false};
  std::atomic<bool> is_saving{false};
  Measures measures;

  std::unique_ptr<DeviceWatch> devices;
  std::atomic<std::int64_t> devices_due{0};  // of the machine's clock, ns; of whoever samples

  mutable Mutex view_mutex;
  std::shared_ptr<const View> view_now HEARTH_GUARDED_BY(view_mutex);

  Mutex pending_mutex;
  std::unordered_map<RequestId, Pending> pending HEARTH_GUARDED_BY(pending_mutex);
  bool is_closed HEARTH_GUARDED_BY(pending_mutex) = false;

  mutable Mutex troubles_mutex;
  std::map<std::string, std::string> troubles HEARTH_GUARDED_BY(troubles_mutex);

  Mutex rows_mutex;
  std::vector<HistoryEntry> rows_waiting HEARTH_GUARDED_BY(rows_mutex);
  bool is_writing_rows HEARTH_GUARDED_BY(rows_mutex) = false;     // the clerk has been told
  bool is_history_failing HEARTH_GUARDED_BY(rows_mutex) = false;  // then the next sample tells it

  Mutex over_mutex;
  bool is_over HEARTH_GUARDED_BY(over_mutex) = false;
  Condition over;

  // --- threads; destroyed in the reverse order ---
  std::unique_ptr<Components> components;
  std::unique_ptr<Workers> clerk;  // files and the history, in order
  std::unique_ptr<Watcher> watcher;
  std::unique_ptr<Workers> workers;     // loads and unloads
  std::unique_ptr<Workers> hibernator;  // one at a time: the swap is one for all
  std::thread core;

  // daemon_start.cpp
  Result<> recover();
  void begin();
  bool restore(Recovered& recovered);
  void replay(const std::vector<JournalRecord>& tail, ReplayMark& mark);
  void set_aside_for(std::uint64_t poisoned, const Recovered& recovered);
  void take_up();
  void take_up_cold(const Configuration& resolved);
  void mark_sleepers(Configuration& resolved, const Config& read) const;
  void configure(const Configuration& resolved);
  event::LearntBefore learnt_before();
  std::vector<Adopted> find_running();
  event::Restored adopt(std::vector<Adopted> running);
  void begin_threads();

  // daemon.cpp
  void run();
  void turn(bool is_waiting);
  void step(const JournalRecord& record);
  void after_turn();
  void keep_rows();
  void write_rows();
  void write_rows_soon(bool is_retry);
  void prune_history();
  void publish_view();
  void save(bool is_last);
  [[nodiscard]] Snapshot snapshot_now(Duration clock_offset) const;
  [[nodiscard]] Sync snapshot_sync() const;
  void heal();
  void look();
  void sample();
  void look_for_alarm();
  void look_at_power();
  void note_idle();
  void note_used(ComponentId id);
  std::vector<event::DeviceHeld> sample_devices();  // none when it is not time
  // With sizes in bytes, as this machine has them. Asks drivers: not on the core thread.
  [[nodiscard]] Configuration resolve(const Config& read);
  [[nodiscard]] event::MemorySampled signs_now() const;
  void close_pending();
  void tell(Event::What what);
  void trouble(const std::string& key, const std::string& text);
  void trouble_over(const std::string& key);
  void troubles_over(std::string_view beginning);  // of the key
  [[nodiscard]] std::shared_ptr<const View> view() const;
  [[nodiscard]] std::string name(ComponentId id) const;
  [[nodiscard]] NameOf name_of() const;
  // Neither declared nor ever measured.
  [[nodiscard]] bool is_unmeasured(ComponentId id) const;
  [[nodiscard]] std::int64_t unix_ms_of(Instant at) const;

  // perform.cpp
  void perform(const action::StartLoad& action);
  void perform(const action::CancelLoad& action);
  void perform(const action::OpenGate& action);
  void perform(const action::CloseGate& action);
  void perform(const action::BarGate& action);
  void perform(const action::ReleaseGate& action);
  void perform(const action::StartUnload& action);
  void perform(const action::StartHibernate& action);
  void perform(const action::StartResume& action);
  [[nodiscard]] Duration load_timeout_of(ComponentId id) const;
  void perform(const action::ArmTimer& action);
  void perform(action::Reply& action);
  void perform(const action::LeaseEnded& action);
  void perform(const action::Learn& action);
  void perform(const action::Record& action);
  void perform(const action::Stopped& action);

  // asks.cpp
  RequestId ask(RequestId request, Event::What what, Intake::Kind kind, Pending waiting);
  std::optional<action::Reply> take_fast(const View& view, const std::vector<ComponentId>& asked,
                                         event::LeaseTaken taken);
  void answer(Pending& waiting, action::Reply reply, std::string detail);
  void waited_warm(const View& view, const std::vector<ComponentId>& asked,
                   std::chrono::steady_clock::time_point arrived);

  // status.cpp
  [[nodiscard]] DaemonStatus status();
};

}  // namespace hearth

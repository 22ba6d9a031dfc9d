// The world of one simulated run: time, processes, gates, clients, faults, a daemon that restarts.
//
// Contract   the world performs the engine's actions as a shell would and decides nothing for it.
//            All that happens stands in one heap of items by time; the same seed gives the same
//            heap.
// Threads    thread-compatible.
#pragma once

#include <map>
#include <queue>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/hash.h"
#include "base/prng.h"
#include "core/engine/engine.h"
#include "sim/checker.h"
#include "sim/faults.h"
#include "sim/simulation.h"
#include "sim/workload.h"

namespace hearth::sim {

class World {
 public:
  explicit World(const SimOptions& options);
  SimReport run();

 private:
  enum class Kind : unsigned char {
    deliver,      // slot: an event for the engine
    finish_load,  // a: work, b: stamp
    finish_unload,
    finish_hibernate,
    release_held,  // a completion that was kept back
    sample,
    command,
    lease,
    fast_lease,
    operate,
    signal,
    garble,         // requests that make no sense
    release_lease,  // a: lease
    renew_lease,
    report_use,  // a: command
    abandon,     // a: request
    fault,       // a: which
    restore_budget,
    snapshot,
    heal,
    quiesce,
    probe,
    shut_down,
    end,
  };
  struct Item {
    Instant at;
    std::uint64_t sequence = 0;
    Kind kind = Kind::end;
    bool is_of_daemon = false;  // gone with a restart
    std::uint32_t incarnation = 0;
    std::uint32_t slot = 0;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    bool operator>(const Item& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };
  enum class Life : unsigned char {
    none,
    starting,
    running,
    falling_asleep,
    asleep,
    waking,
    stopping
  };
  struct Process {
    std::string name;
    Life life = Life::none;
    WorkId load;
    Bytes size;
    Bytes awake;             // its size before it fell asleep
    bool is_open = false;    // its gate
    std::uint32_t fast = 0;  // fast leases that hold the gate
  };
  struct Job {
    ComponentId component;
    bool is_load = true;
    bool is_resume = false;
    HibernateOutcome slept = HibernateOutcome::asleep;
    bool is_cancelled = false;
    std::uint64_t stamp = 0;  // of the completion that counts
    WorkOutcome outcome = WorkOutcome::done;
    bool is_low = false;  // it will measure more than was reserved
    Bytes reserved;
    Duration takes{0};
  };
  enum class Client : unsigned char { command, lease, load, unload, plain, probe };
  struct Pending {
    Client client = Client::plain;
    CommandId command;
    std::vector<ComponentId> asked;
  };
  struct Entry {
    Event event;
    std::uint64_t actions_digest = 0;
    std::string told;  // the actions in words, when the run is traced
  };

  // world.cpp
  void start();
  void pass(const Item& item);
  void step(Event::What what);
  std::uint64_t engine_step(const Event& event, Engine& engine);
  void perform_all();
  [[nodiscard]] std::string told() const;
  void add(Kind kind, Instant at, std::uint64_t a = 0, std::uint64_t b = 0);
  void deliver(Event::What what, Duration after);
  void take_snapshot();
  void heal();
  void quiesce();
  void shut_down();
  void finish(SimReport& report);
  [[nodiscard]] Instant stamp();
  [[nodiscard]] bool is_over() const { return checker_.violation().has_value(); }

  // world_machine.cpp
  void perform(const action::StartLoad& a);
  void perform(const action::CancelLoad& a);
  void perform(const action::OpenGate& a);
  void perform(const action::CloseGate& a);
  void perform(const action::BarGate& a);
  void perform(const action::ReleaseGate& a);
  void perform(const action::StartUnload& a);
  void perform(const action::StartHibernate& a);
  void perform(const action::StartResume& a);
  void perform(const action::ArmTimer& a);
  void perform(const action::Reply& a);
  void perform(const action::LeaseEnded& a);
  void perform(const action::Learn& a);
  void perform(const action::Record& a);
  void perform(const action::Stopped& a);
  void finish_load(WorkId work, std::uint64_t stamp);
  void finish_unload(WorkId work, std::uint64_t stamp);
  void finish_hibernate(WorkId work, std::uint64_t stamp);
  void complete(Event::What what);
  void release_held();
  void suffer(Bytes available);
  void look_at_power();
  void sample();
  [[nodiscard]] Bytes ready_size(const Job& job, const Process& process);

  // world_faults.cpp
  void strike(Fault fault);
  void crash(bool is_leased);
  void crash_asleep();
  void end(ComponentId id);
  void restart(bool loses_tail);
  void replay(std::size_t count);
  void rebuild_processes();
  void reconfigure(Configuration next);
  void restore_budget();

  // world_clients.cpp
  void command();
  void lease();
  void fast_lease();
  void take_gates(const std::vector<ComponentId>& gates, Duration after);
  void operate();
  void garble();
  void granted(const action::Reply& reply, const Pending& pending);
  void release_lease(LeaseId lease);
  void renew_lease(LeaseId lease);
  RequestId ask(Client client, std::vector<ComponentId> asked = {}, CommandId command = {});
  [[nodiscard]] std::optional<ComponentId> pick();
  [[nodiscard]] std::vector<ComponentId> closure(ComponentId id) const;
  [[nodiscard]] bool are_open(const std::vector<ComponentId>& gates) const;

  // world_probe.cpp
  void probe();
  [[nodiscard]] bool must_be_granted(const std::vector<ComponentId>& asked) const;
  void check_core();
  [[nodiscard]] Instant probes_end() const;
  [[nodiscard]] Duration patience_for(const std::vector<ComponentId>& asked) const;

  SimOptions options_;
  Prng prng_;
  Workload workload_;
  FaultPlan faults_;
  Engine engine_;
  Checker checker_;
  Configuration configuration_;  // as it lies on the disk

  std::priority_queue<Item, std::vector<Item>, std::greater<>> heap_;
  std::vector<Event::What> parked_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t next_sequence_ = 0;
  std::uint32_t incarnation_ = 0;
  Instant now_;
  Duration jump_{0};
  Instant armed_ = Instant::never();
  std::uint64_t steps_at_instant_ = 0;

  std::vector<Process> processes_;  // by ComponentId
  std::map<WorkId, Job> jobs_;
  std::map<RequestId, Pending> pending_;
  std::optional<Event::What> held_;
  std::uint64_t next_request_ = 1;
  std::uint64_t next_command_ = 1;
  std::uint64_t next_fast_ = 1;
  std::uint64_t next_stamp_ = 1;
  std::vector<CommandId> recent_;
  Bytes other_use_;  // by the rest of the machine
  Duration stalled_{0};
  Bytes swapped_;
  Bytes other_goal_;
  Bytes other_pace_;  // a sample
  Instant other_until_;
  std::uint64_t samples_ = 0;
  bool is_on_battery_ = false;
  double charge_ = 0.3;
  bool is_quiet_ = false;
  bool is_stopped_ = false;
  bool is_restoring_ = false;
  RequestId probe_;
  std::size_t probe_next_ = 0;

  std::vector<std::byte> snapshot_;
  Checker snapshot_checker_;
  std::vector<Entry> journal_;

  std::vector<Action> actions_;
  Writer writer_;
  Digest digest_;
  SimReport report_;
  std::array<std::uint64_t, std::variant_size_v<Event::What>> event_counts_{};
  std::array<std::string, std::variant_size_v<Event::What>> event_names_;
};

}  // namespace hearth::sim

// A naive second opinion on the engine: it sees events, actions and public views, nothing else, and
// keeps its own books of who is resident, leased, waited for and counted.
//
// Contract   apply() takes each step's event and actions in order and checks what can be told from
//            them alone; compare() checks the engine's views against the model, for the components
//            that the last step touched; compare_all() for every one, and counts the ledger from
//            scratch. The first violation stays. A Checker can be copied: the copy continues from
//            there, which is how a restart forgets the tail of a journal.
// Invariants I1 memory, I2 unloading, I3 needs and conflicts, I4 answers, I5 relief within a
//            sample, I7 no thrash, as ARCHITECTURE.md has them. I6 is a comparison of digests
//            elsewhere.
// Cost       apply() and compare() follow what the step touched; compare_all() is linear.
// Threads    thread-compatible.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine.h"

namespace hearth::sim {

struct Violation {
  std::string invariant;  // "I1" to "I7"
  std::string text;
  std::uint64_t step = 0;
  Instant at;
};

class Checker {
 public:
  // Before the step: which of those asked for are draining, which only the views tell.
  void before(const Event& event, const Engine& engine);
  void apply(const Event& event, std::span<const Action> actions);
  void compare(const Engine& engine);
  void compare_all(const Engine& engine);

  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
  // For checks made elsewhere: the first one stays.
  void violate(std::string invariant, std::string text);

  // What a set needs, itself included, by the configuration as it stands.
  [[nodiscard]] std::vector<ComponentId> closure(std::span<const ComponentId> asked) const;
  [[nodiscard]] bool is_resident(ComponentId id) const;
  [[nodiscard]] bool is_open(ComponentId id) const;
  [[nodiscard]] bool is_leased(ComponentId id) const { return at(id).leases > 0; }
  [[nodiscard]] bool is_outstanding(RequestId id) const { return requests_.contains(id); }
  [[nodiscard]] std::size_t outstanding() const { return requests_.size(); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  enum class Phase : unsigned char {
    gone,
    loading,
    resident,
    unloading,
    falling_asleep,
    asleep,
    waking
  };
  enum class Gate : unsigned char { shut, open, asked };
  enum class Ask : unsigned char { command, lease, load, unload, plain, renew, release, use };

  struct Demand {
    Bytes ram;
    std::size_t pool = 0;       // 0: none, else 1 + its place in Settings::pools
    std::vector<Bytes> others;  // by place in Settings::resources
  };
  struct Model {
    Spec spec;
    std::optional<Spec> next_spec;  // in force once it is gone
    bool is_removed = false;
    std::vector<ComponentId> needs;   // direct, by the configuration as it stands
    std::vector<ComponentId> rivals;  // both sides
    Phase phase = Phase::gone;
    Gate gate = Gate::shut;
    bool is_barred = false;  // an open gate that nobody new may take
    WorkId load;
    WorkId unload;
    bool is_cancelled = false;
    bool has_exited = false;  // while it fell asleep or woke
    bool is_kept_by_pin = false;
    bool may_close = false;    // a core or pinned component has a reason to go
    bool is_draining = false;  // as last seen
    Demand held;
    std::vector<ComponentId> needs_at_load;
    std::vector<WorkId> need_lives;  // which life of each it came up over
    unsigned leases = 0;
    std::vector<Bytes> lives;      // what each held at its peak, the last 20
    bool is_measured = false;      // in the last life
    WorkId life;                   // the load that began it
    Instant load_due;              // a load not done by then is cancelled
    Instant busy_until;            // somebody who does not wait for it asked for it until then
    Instant idle_since;            // when it was last in use, had dependents, or came up
    std::vector<Instant> reloads;  // without a demand or pressure in between
  };
  struct Lease {
    std::vector<ComponentId> components;
    Instant until;
    Duration length{0};
    bool is_preemptible = false;
    bool is_fast = false;
    bool ends_with_answer = false;  // and so with the daemon
    RequestId request;
    Instant revoked_at = Instant::never();  // when its owner was told
  };
  struct Asked {
    Ask kind = Ask::plain;
    std::vector<ComponentId> asked;
    std::vector<ComponentId> components;  // with their needs
    std::vector<bool> was_ready;          // of each of these, on arrival
    Instant arrived;
    Instant deadline = Instant::never();
    Duration length{0};
    bool is_preemptible = false;
    bool ends_with_answer = false;
    LeaseId lease;
    CommandId command;
    ComponentId pinned;
    bool is_pin = false;
    bool must_grant = false;  // all ready and open on arrival
  };

  [[nodiscard]] Model& at(ComponentId id) { return models_[id.value]; }
  [[nodiscard]] const Model& at(ComponentId id) const { return models_[id.value]; }
  [[nodiscard]] bool is_known(ComponentId id) const {
    return id.value < models_.size() && !models_[id.value].is_removed;
  }
  [[nodiscard]] std::string name(ComponentId id) const;
  void touch(ComponentId id);

  // checker_events.cpp
  void on(const event::Configured& e);
  void on(const event::CommandReceived& e);
  void on(const event::SignalReceived& e);
  void on(const event::LeaseRequested& e);
  void on(const event::LeaseTaken& e);
  void on(const event::LeaseRenewed& e);
  void on(const event::LeaseReleased& e);
  void on(const event::LoadRequested& e);
  void on(const event::UnloadRequested& e);
  void on(const event::PinRequested& e);
  void on(const event::UseReported& e);
  void on(const event::RequestAbandoned& e);
  void on(const event::LoadFinished& e);
  void on(const event::UnloadFinished& e);
  void on(const event::GateClosed& e);
  void on(const event::GateRefused& e);
  void on(const event::ComponentExited& e);
  void on(const event::MemorySampled& e);
  void on(const event::TimerFired& e);
  void on(const event::ShutdownRequested& e);
  void on(const event::Restored& e);
  void on(const event::LearntBefore& e);
  void on(const event::HibernateFinished& e);
  void on(const event::PowerSampled& e);
  Asked& add_request(RequestId id, Ask kind, std::vector<ComponentId> asked, Duration patience);
  void remove_request(RequestId id);
  void adopt_spec(ComponentId id);
  void remember_needs(Model& model) const;
  void link_rivals();
  void gone(ComponentId id);
  void demanded(std::span<const ComponentId> components);
  void excuse_dependents(ComponentId id);

  // checker_actions.cpp
  void on(const action::StartLoad& a);
  void on(const action::CancelLoad& a);
  void on(const action::OpenGate& a);
  void on(const action::CloseGate& a);
  void on(const action::BarGate& a);
  void on(const action::ReleaseGate& a);
  void on(const action::StartUnload& a);
  void on(const action::StartHibernate& a);
  void on(const action::StartResume& a);
  void on(const action::ArmTimer& a);
  void on(const action::Reply& a);
  void on(const action::LeaseEnded& a);
  void on(const action::Learn& a);
  void on(const action::Record& a);
  void on(const action::Stopped& a);
  void check_granted(const action::Reply& a, const Asked& asked);
  void check_refused(const action::Reply& a, const Asked& asked);
  bool is_lasting(ComponentId id) const;
  void check_start(const std::string& who, ComponentId id, WorkId work, Bytes reserved);
  void begin_load(ComponentId id, WorkId work);
  void check_thrash(ComponentId id, Model& model);
  [[nodiscard]] bool lease_told(const Lease& lease) const;
  [[nodiscard]] std::size_t pool_of(const Spec& spec) const;
  [[nodiscard]] std::vector<Bytes> devices_of(const Spec& spec) const;
  [[nodiscard]] Bytes bound_least(const Model& model) const;
  [[nodiscard]] bool is_demanded(ComponentId id) const;

  // checker.cpp
  void end_of_step();
  void check_budgets();
  void check_relief();
  void hold(ComponentId id, Demand demand);
  void set_ram(ComponentId id, Bytes ram);
  static void begin_life(Model& model);
  static void note_peak(Model& model, Bytes ram);
  void check_borrowers(const Engine& engine);
  void release(ComponentId id);
  void add_lease(LeaseId id, Lease lease);
  void end_lease(LeaseId id);
  void compare_one(ComponentId id, const Engine& engine);
  void compare_sums(const Engine& engine, bool is_full);
  [[nodiscard]] Bytes budget_of(std::size_t budget) const;  // 0 ram, then resources, then pools
  [[nodiscard]] Bytes used_of(std::size_t budget) const;
  [[nodiscard]] bool is_leaving(const Model& model) const;
  [[nodiscard]] bool is_anything_leaving() const;
  // Idle by these books, needed by nothing declared, and nothing forbids its unloading.
  [[nodiscard]] bool is_evictable(ComponentId id) const;
  [[nodiscard]] bool has_live_dependent(ComponentId id) const;
  [[nodiscard]] bool holds_in(const Model& model, std::size_t budget) const;
  [[nodiscard]] std::size_t budget_count() const;

  Settings settings_;
  std::vector<Model> models_;
  std::map<std::string, ComponentId, std::less<>> by_name_;
  std::map<RequestId, Asked> requests_;
  std::set<RequestId> lost_;  // whose clients went with a restart: no reply is owed
  std::map<RequestId, LeaseId> granted_;
  std::map<LeaseId, Lease> leases_;
  std::map<WorkId, ComponentId> loads_;
  std::map<WorkId, ComponentId> unloads_;
  std::map<WorkId, ComponentId> hibernations_;
  std::multiset<Instant> deadlines_;
  std::multiset<Instant> lease_ends_;
  Bytes ram_used_;
  std::vector<Bytes> pools_used_;
  std::vector<Bytes> others_used_;
  Instant now_;
  Instant armed_ = Instant::never();
  std::uint64_t steps_ = 0;
  std::uint64_t work_last_ = 0;
  std::uint64_t decision_last_ = 0;
  Pressure pressure_ = Pressure::low;        // as last seen
  Pressure plain_pressure_ = Pressure::low;  // of the last sample, by the levels alone
  Duration stalled_{0};                      // as last told
  Bytes swapped_{};
  Instant suffered_ = Instant{} - 1h;  // when they last grew
  bool is_suffering_ = false;
  bool may_be_emergency_ = false;
  bool saves_power_ = false;
  Instant power_at_;  // since when
  bool is_shutting_down_ = false;
  bool is_stopped_ = false;
  bool is_configured_ = false;
  bool has_restored_ = false;                  // in this step
  std::optional<std::uint64_t> commands_ = 0;  // none: as the engine says after a restart

  // Of this step.
  std::vector<ComponentId> touched_;
  std::vector<ComponentId> started_;
  std::vector<RequestId> immediate_;
  std::vector<ComponentId> gates_owed_;  // of fast leases that ended
  std::vector<ComponentId> gates_released_;
  std::vector<std::pair<ComponentId, ComponentId>> pushed_;  // for want of memory: who, for whom
  std::vector<bool> was_over_;
  std::optional<std::size_t> unrelieved_;  // a budget that went over without an action
  bool has_relief_ = false;
  bool is_sample_ = false;

  // Relief from sample to sample.
  bool has_relief_since_ = false;
  bool was_told_stuck_ = false;    // in this episode of critical pressure
  unsigned critical_samples_ = 0;  // in a row with something evictable and no relief

  std::optional<Violation> violation_;
};

// Bytes, for a person.
[[nodiscard]] std::string megabytes(Bytes bytes);

}  // namespace hearth::sim

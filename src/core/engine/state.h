// The engine's whole state, and the parts that change it. Private to core/engine.
//
// Contract   `step` advances time, tells what the event says (on_*), then settles: replies,
//            admissions, starts, relief. on_* functions change facts only; settle() decides.
// Threads    thread-compatible.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "base/archive.h"
#include "base/id_set.h"
#include "base/limits.h"
#include "core/engine/engine.h"
#include "core/ledger/learnt_peaks.h"
#include "core/policy/eviction.h"
#include "core/policy/pressure.h"

namespace hearth {

enum class WantKind : unsigned char {
  command,
  lease,
  load,    // by hand
  unload,  // by hand; waits until the targets are gone
  keep,    // by the engine itself: core, eager, pin, restart, default_back
  preload,
};
constexpr unsigned limit_of(WantKind) { return 6; }

// Whoever waits: a client's request, or the engine itself (internal ids have the top bit set).
struct Request {
  RequestId id{};
  WantKind kind = WantKind::command;
  Reason reason = Reason::demand;  // why its components are loaded
  Priority priority = Priority::medium;
  std::uint64_t sequence = 0;  // order of arrival
  std::vector<ComponentId> asked{};
  std::vector<ComponentId> closure{};  // with needs, needs first
  std::vector<ComponentId> cold{};     // of closure, not ready on arrival
  std::vector<ComponentId> leaving{};  // of an unload: what goes, with all that needs it
  SessionId session{};
  CommandId command{};
  std::string owner{};
  Duration length{0};
  bool is_preemptible = false;
  bool ends_with_answer = false;  // the lease that it asks for
  bool has_reply = true;          // somebody still waits for an answer
  Instant arrived{};
  Instant deadline{};
  // Why it is not granted yet.
  Reason hindrance = Reason::none;
  ComponentId hindered{};
  ComponentId rival{};

  template <class A>
  void fields(A& a) {
    a(id, kind, reason, priority, sequence, asked, closure, cold, leaving, session, command, owner,
      length, is_preemptible, ends_with_answer, has_reply, arrived, deadline, hindrance, hindered,
      rival);
  }
};

struct Lease {
  LeaseId id{};
  std::vector<ComponentId> components{};
  RequestId request{};
  CommandId command{};
  SessionId session{};
  std::string owner{};
  Instant granted_at{};
  Instant until{};
  bool is_preemptible = false;
  bool is_revoked = false;        // its owner was told; `until` is the end of the grace
  bool is_fast = false;           // its gates were taken by the shell
  bool ends_with_answer = false;  // its component may be asked to give way: see turns.cpp
  template <class A>
  void fields(A& a) {
    a(id, components, request, command, session, owner, granted_at, until, is_preemptible,
      is_revoked, is_fast, ends_with_answer);
  }
};

struct Component {
  Spec spec{};
  std::optional<Spec> next_spec{};  // takes effect when it is unloaded
  bool is_removed = false;
  bool is_pinned = false;
  bool is_stopped = false;     // by hand: not kept until asked for again
  bool is_eager_done = false;  // loaded once at start
  bool is_kept = false;        // an internal request wants it
  bool restarts = false;       // wanted again once it is gone
  bool is_displaced = false;   // a default that had to go
  bool is_preload = false;
  bool is_cancelled = false;  // the load under way is not wanted
  bool is_estimate_told = false;
  bool goes_to_sleep = false;  // closing: to hibernate, not to unload
  bool is_waking = false;      // hibernated, and admitted again
  Instant no_sleep_before{};   // hibernating it was tried in vain
  unsigned poor_sleeps = 0;    // in a row, that freed little
  bool has_exited = false;     // while it hibernated or resumed
  Bytes asleep{};              // what it holds while it is hibernated
  double freed_share = 0;      // of what it held, when it last hibernated; 0: it never has
  Duration hibernate_time{0};  // learnt, as load_time
  Duration resume_time{0};
  State state = State::unloaded;
  WorkId work{};
  WorkId load{};
  WorkId life{};  // the load that began the last of `peaks`
  Reason load_reason = Reason::none;
  Reason unload_reason = Reason::none;
  std::optional<ComponentId> unload_for{};
  std::optional<ComponentId> displacer{};
  unsigned attempt = 0;      // of the current series; 0: none has failed
  unsigned short_lives = 0;  // how often in a row it exited soon after it was ready
  Instant retry_at{};
  Instant load_started{};
  Instant load_deadline = Instant::never();
  unsigned leases = 0;
  unsigned preemptible_leases = 0;
  unsigned answer_leases = 0;  // that end with an answer
  unsigned fast_leases = 0;
  unsigned fast_pending = 0;  // fast leases that a gate told of and no event yet
  unsigned gates_asked = 0;   // CloseGate without an answer; an older answer is stale
  Instant idle_since{};
  Instant loaded_at{};
  Instant turn_began{};  // when it came up, or later, if it was given its turn anew
  Instant turn_ended{};  // of one that drains because its turn is over
  Duration exchange{0};  // what that exchange costs
  Instant last_used{};
  LearntPeaks peaks{};                           // of ram
  std::map<std::string, LearntPeaks> devices{};  // by resource
  Duration load_time{0};
  double probability = 0;
  std::uint64_t probability_of = 0;  // the command that `probability` is of
  std::uint64_t grants = 0;          // commands and leases that were given it
  std::uint64_t uses = 0;            // evidence that it was needed
  std::uint64_t warm_uses = 0;
  std::uint64_t loads = 0;
  std::uint64_t unloads = 0;
  std::uint64_t failures = 0;
  ComponentPolicyState policy{};
  std::vector<Instant> undemanded{};  // the last three starts since a demand
  std::uint32_t plan_position = 0;    // among the starts that were planned together; 0: none
  bool is_in_idle = false;
  double idle_key = 0;  // of the moment it became idle, unless keys age
  Instant idle_deadline = Instant::never();

  // Derived: rebuilt by rebuild_graph().
  std::vector<ComponentId> needs{};
  std::vector<ComponentId> dependents{};
  std::vector<ComponentId> conflicts{};
  std::vector<ComponentId> closure{};  // itself last
  std::uint32_t rank = 0;              // topological: a need is below its dependents
  // Derived: kept up to date as things change.
  unsigned engaged_dependents = 0;  // that hold a reservation
  unsigned wanted = 0;              // waiting requests whose closure holds it
  unsigned claimed = 0;             // those of them that keep it from going

  template <class A>
  void fields(A& a) {
    a(spec, next_spec, is_removed, is_pinned, is_stopped, is_eager_done, is_kept, restarts,
      is_displaced, is_preload, is_cancelled, is_estimate_told, state, work, load, life,
      load_reason, unload_reason, unload_for, displacer, attempt, short_lives, retry_at,
      load_started, load_deadline, leases, preemptible_leases, answer_leases, fast_leases,
      fast_pending, gates_asked, idle_since, loaded_at, turn_began, turn_ended, exchange, last_used,
      peaks, devices, load_time);
    a(probability, probability_of, grants, uses, warm_uses, loads, unloads, failures, policy,
      undemanded, is_in_idle, idle_key, idle_deadline, plan_position);
    a(goes_to_sleep, is_waking, no_sleep_before, poor_sleeps, has_exited, asleep, freed_share,
      hibernate_time, resume_time);
  }
};

// How far out of memory.
enum class Tier : unsigned char { hibernated, unloaded };

struct KnownCommand {
  CommandId id{};
  SessionId session{};
  Instant at{};
  std::vector<ComponentId> cold{};  // of what it was given: not ready on arrival
  std::vector<ComponentId> used{};  // already counted
  template <class A>
  void fields(A& a) {
    a(id, session, at, cold, used);
  }
};

enum class TimerKind : unsigned char { request, lease, load, retry, idle, drain, turn };
constexpr unsigned limit_of(TimerKind) { return 7; }

struct StoredTimer {
  Instant at;
  TimerKind kind = TimerKind::request;
  std::uint64_t id = 0;
  template <class A>
  void fields(A& a) {
    a(at, kind, id);
  }
};

struct Engine::Impl {
  // --- state that is stored ---
  Configuration configuration{};
  std::vector<Component> components{};
  std::map<RequestId, Request> requests{};
  std::map<LeaseId, Lease> leases{};
  Ledger ledger{};
  Pressure pressure = Pressure::low;
  PressureGauge gauge{};
  Totals totals{};
  PolicyState policy_state{};
  std::deque<KnownCommand> commands{};
  std::deque<Decision> decisions{};
  std::uint64_t next_decision = 1;
  std::uint64_t next_work = 1;
  std::uint64_t next_lease = 1;
  std::uint64_t next_internal = 1;
  std::uint64_t next_sequence = 1;
  std::uint64_t command_count = 0;
  Instant now{};
  Instant armed = Instant::never();
  Instant drain_until = Instant::never();
  bool is_shutting_down = false;
  bool is_stopped = false;
  // The first that waits for a component alone, as of the last round; it may be gone since.
  std::map<ComponentId, RequestId> hindered{};
  bool is_told_helpless = false;  // "nothing evictable" was told at this level of pressure
  Instant relieved_at{};          // of a stall
  bool saves_power = false;
  // A count of the machine's, as it was told last, and what of it was no doing of ours.
  template <class T>
  struct Counted {
    T seen{};
    T others{};
    template <class A>
    void fields(A& a) {
      a(seen, others);
    }
  };
  bool has_paged = false;  // something hibernated or resumed since then
  Instant pages_until{};   // and may do so for as long
  Counted<Duration> stalls;
  Counted<Bytes> swaps;

  template <class A>
  void fields(A& a) {
    a(configuration, components, requests, leases, ledger, pressure, gauge, totals, policy_state);
    std::vector<KnownCommand> known(commands.begin(), commands.end());
    std::vector<Decision> told(decisions.begin(), decisions.end());
    a(known, told);
    commands.assign(known.begin(), known.end());
    decisions.assign(told.begin(), told.end());
    a(next_decision, next_work, next_lease, next_internal, next_sequence, command_count, now, armed,
      drain_until, is_shutting_down, is_stopped, is_told_stuck, kept_dirty, hindered,
      is_told_helpless, relieved_at, saves_power, has_paged, pages_until, stalls, swaps);
    // A timer outlives what it was armed for now and then, and fires for nothing: as lived, so
    // stored.
    std::vector<StoredTimer> armed_timers;
    for (const auto& [due, kind, id] : timers) armed_timers.push_back({due, kind, id});
    a(armed_timers);
    timers.clear();
    for (const StoredTimer& timer : armed_timers) timers.emplace(timer.at, timer.kind, timer.id);
  }

  // --- derived ---
  std::map<std::string, ComponentId, std::less<>> by_name{};
  std::vector<std::pair<std::string, PoolId>> pool_ids{};
  const EvictionPolicy* policy = nullptr;
  using Timers = std::set<std::tuple<Instant, TimerKind, std::uint64_t>>;
  Timers timers{};
  Timers::node_type spare_timer{};  // one goes as another comes, with most events
  std::set<std::tuple<Priority, std::uint64_t, RequestId>> queue{};  // key: inverted priority
  std::set<std::tuple<Priority, double, ComponentId>> idle{};
  IdSet<ComponentId> admitted{};  // reserved, not started
  IdSet<ComponentId> loading{};
  IdSet<ComponentId> leaving{};  // closing, hibernating or unloading
  IdSet<ComponentId> draining{};
  std::size_t preemptible_leases = 0;   // of all leases
  IdSet<ComponentId> answering{};       // held by leases that end with an answer
  std::set<ComponentId> kept_dirty{};   // whose keeping may have changed
  std::vector<ComponentId> defaults{};  // spec.is_default
  std::size_t unload_requests = 0;
  std::map<WorkId, ComponentId> work{};
  // Of `commands`: how many were there before the first, each session's last by that count, and the
  // largest id.
  std::uint64_t commands_dropped = 0;
  std::map<SessionId, std::uint64_t> last_of_session{};
  CommandId command_max{};
  std::vector<RequestId> waiters{};  // as one round of settling looks at them
  IdSet<ComponentId> promised{};     // in that round: room for these is on its way
  bool is_dirty = true;
  bool has_next_specs = false;
  bool is_plan_stale = false;  // what is admitted has changed
  bool is_told_stuck = false;  // "nothing evictable" was told for this shortage
  std::vector<Action>* out = nullptr;

  // engine.cpp
  void step(const Event& event, std::vector<Action>& actions);
  void dispatch(const Event& event);
  void rebuild_derived();
  bool is_consistent() const;
  Component& at(ComponentId id) { return components[id.value]; }
  const Component& at(ComponentId id) const { return components[id.value]; }
  bool is_known(ComponentId id) const {
    return id.value < components.size() && !components[id.value].is_removed;
  }
  bool is_engaged(ComponentId id) const { return ledger.holds(id); }
  // Ready, or hibernated and not on its way back.
  bool is_up_or_asleep(ComponentId id) const {
    const Component& c = at(id);
    return c.state == State::ready || (c.state == State::hibernated && !c.is_waking);
  }
  // A waiting request keeps it from going. The rest of what hibernates is kept for nobody: two that
  // wait for two of them would keep each other from coming back.
  bool is_claimed(ComponentId id) const {
    return at(id).claimed > 0 && at(id).state != State::hibernated;
  }
  // There, or on its way: what hibernates is not.
  bool is_present(ComponentId id) const {
    return is_engaged(id) && (at(id).state != State::hibernated || at(id).is_waking);
  }
  void emit(Action action) { out->push_back(std::move(action)); }

  // record.cpp
  Decision& record(DecisionKind kind, Reason reason);
  void record_component(DecisionKind kind, Reason reason, ComponentId id);
  void flush_record();
  bool has_pending_record = false;

  // registry.cpp
  void on(const event::Configured& event);
  void on(const event::LearntBefore& event);
  void apply_settings();
  void number_pools();
  void rebuild_graph();
  void recount();
  void apply_next_specs();
  void note_keep(ComponentId id) {
    kept_dirty.insert(id);
    is_dirty = true;
  }

  // timers.cpp
  void arm(TimerKind kind, std::uint64_t id, Instant at);
  void disarm(TimerKind kind, std::uint64_t id, Instant at);
  void fire_due();
  void fire(TimerKind kind, std::uint64_t id, Instant at);
  void arm_shell();
  void on(const event::TimerFired&) {}

  // requests.cpp
  void on(const event::CommandReceived& event);
  void note_command(CommandId command, SessionId session, const std::vector<Intent>& intents);
  KnownCommand* find_command(CommandId id);
  void index_commands();
  void on(const event::SignalReceived& event);
  void on(const event::LeaseRequested& event);
  void on(const event::LoadRequested& event);
  void on(const event::PinRequested& event);
  void on(const event::RequestAbandoned& event);
  void receive(Request request);
  bool refuse_at_once(const Request& request);
  std::vector<ComponentId> closure_of(const std::vector<ComponentId>& asked) const;
  bool is_all_ready(const std::vector<ComponentId>& closure) const;
  void grant(Request& request);
  void reply_granted(const Request& request, LeaseId lease, Instant until);
  void refuse(const Request& request, Errc code, Reason reason, ComponentId id, ComponentId other);
  void refuse_plainly(RequestId id, Errc code, Reason reason, CommandId command = {});
  void enqueue(Request request);
  Request dequeue(RequestId id);
  void want(const Request& request, bool is_more);
  void drop_lasting_keeps(std::optional<ComponentId> only);
  static bool has_claim(const Request& request);
  void request_timed_out(Request& request);
  void fail_waiting_on(ComponentId id);
  ComponentId who_needs(const std::vector<ComponentId>& asked, ComponentId id) const;
  void keep(ComponentId id, Reason reason);
  void preload(ComponentId id, CommandId command);
  Instant rests_until(ComponentId id) const;
  void touch(ComponentId id);
  void count_use(ComponentId id, bool is_warm);
  void clear_preload(ComponentId id);
  void count_objective(const Request& request, bool is_met);
  Reason too_large(const Ledger::Shortfall& shortfall) const;
  void cancel_unwanted(const std::vector<ComponentId>& members);

  // admission.cpp
  void settle();
  bool grant_ready();
  void settle_keeps();
  bool is_core_coming() const;
  Instant rests_for_load(const std::vector<ComponentId>& members) const;
  bool admit_waiting();
  bool try_admit(Request& request);
  bool joins_a_waiting_one(Request& request);
  [[nodiscard]] static bool stands_behind(const Request& request, const Request& before);
  bool check_rest(Request& request, const std::vector<ComponentId>& missing);
  bool check_members(Request& request, const std::vector<ComponentId>& missing);
  bool clear_conflicts(Request& request, const std::vector<ComponentId>& missing);
  bool make_room(Request& request, const std::vector<ComponentId>& missing);
  bool can_displace(ComponentId rival, Priority priority, std::vector<ComponentId>& victims) const;
  void revoke_preemptible(ComponentId id);
  void revoke_leases_on(ComponentId id);
  bool can_revoke(ComponentId id, Priority priority) const;
  void hinder(Request& request, Reason reason, ComponentId id, ComponentId other);
  IdSet<ComponentId> leaving_now() const;
  std::vector<Ledger::Demand> demands_of(const IdSet<ComponentId>& going) const;
  std::vector<Ledger::Demand> leaving_demands() const { return demands_of(leaving_now()); }
  std::vector<Ledger::Demand> with_promised(const std::vector<ComponentId>& missing) const;
  bool is_guess(ComponentId id) const {
    return at(id).peaks.highest() == Bytes{} && !at(id).spec.memory;
  }
  Ledger::Demand demand_for(ComponentId id) const;
  Ledger::Demand missing_for(ComponentId id) const;

  // pools.cpp
  // What room is made for: these demands, of a request of that priority, in pools of its own.
  struct Claim {
    std::vector<Ledger::Demand> wanted{};
    IdSet<PoolId> pools{};
    Priority priority = Priority::core;
  };
  [[nodiscard]] Claim claim_of(const Request& request, const std::vector<ComponentId>& missing,
                               const std::vector<Ledger::Demand>& wanted) const;
  [[nodiscard]] bool is_borrowing(const Claim& claim,
                                  const std::vector<Ledger::Demand>& gone) const;
  [[nodiscard]] bool is_borrowed(ComponentId id, const Claim& claim,
                                 const std::vector<Ledger::Demand>& gone) const;
  [[nodiscard]] bool is_protected(ComponentId id, const Claim& claim,
                                  const std::vector<Ledger::Demand>& gone) const;
  [[nodiscard]] IdSet<ComponentId> idle_for(const Claim& claim,
                                            const std::vector<ComponentId>& spared) const;
  struct Leaver {
    ComponentId id;
    Tier to = Tier::unloaded;
  };
  [[nodiscard]] std::vector<ComponentId> protected_among(const std::vector<Leaver>& victims,
                                                         const Claim& claim) const;
  [[nodiscard]] bool protects_more(const std::vector<Leaver>& fewer,
                                   const std::vector<Leaver>& victims, const Claim& claim) const;
  std::optional<std::vector<ComponentId>> victims_for(const Claim& claim,
                                                      const std::vector<ComponentId>& spared);
  void spare_needless(const Claim& claim, std::vector<ComponentId>& victims) const;
  void revoke_for(const Request& request, const Claim& claim);

  // bounds.cpp
  Bytes bound(ComponentId id) const;
  Bytes device_bound(ComponentId id, const ResourceNeed& need, Bytes budget) const;
  void begin_life(ComponentId id);
  void hold_measured(ComponentId id, Bytes measured);
  bool is_estimate_off(ComponentId id) const;
  void tell_estimate(ComponentId id);
  static void note_spec(Component& c, const Spec& before);
  bool take_measured(ComponentId id, Bytes bytes);
  bool take_device(const event::DeviceHeld& held);

  bool can_rivals_go(const Request& request, const std::vector<ComponentId>& missing) const;

  // turns.cpp
  struct Turn {
    Instant began{};                     // of the last that answers
    Instant end{};                       // when it may be ended
    std::vector<ComponentId> members{};  // a component, then all that needs it
  };
  [[nodiscard]] Duration exchange_cost(ComponentId id, const Request& request) const;
  [[nodiscard]] bool may_give_way(ComponentId id, const Request& request) const;
  [[nodiscard]] bool is_on_its_way(ComponentId id) const;
  [[nodiscard]] std::optional<Turn> turn_of(ComponentId id, const Request& request) const;
  void end_turn(const Turn& turn, const Request& request, ComponentId because);
  bool take_turn(const Request& request, const Claim& claim, ComponentId because);
  bool take_turn_of(ComponentId rival, const Request& request, ComponentId because);
  [[nodiscard]] IdSet<ComponentId> coming() const;
  [[nodiscard]] std::vector<Turn> turns_to_end(const Request& request,
                                               const IdSet<ComponentId>& going) const;
  [[nodiscard]] bool is_turn_wanted() const;
  bool give_turn_back(ComponentId id, bool is_depended_on);

  // plan.cpp
  void plan_starts();
  Duration expected_load_time(ComponentId id) const;

  // loads.cpp
  void on(const event::LoadFinished& event);
  void on(const event::ComponentExited& event);
  void start_loads();
  bool start_next();
  void start_load(ComponentId id);
  Duration path_after(ComponentId id, std::map<ComponentId, Duration>& known) const;
  void begin_load(ComponentId id, Trigger trigger);
  void came_up(ComponentId id, Bytes measured);
  void open_gate(ComponentId id);
  void load_done(ComponentId id, Bytes measured);
  void load_failed(ComponentId id, bool counts);
  void rest(ComponentId id, unsigned failures);
  void cancel_load(ComponentId id);
  void engage(ComponentId id, const Ledger::Demand& demand, bool is_forced);
  void disengage(ComponentId id);
  void withdraw(ComponentId id);
  void lose(ComponentId id, Reason reason);
  void withdraw_unwanted();
  void promote_asked();
  void withdraw_unfitting();

  // unloads.cpp
  void on(const event::GateClosed& event);
  void on(const event::GateRefused& event);
  void on(const event::UnloadFinished& event);
  void on(const event::UnloadRequested& event);
  bool is_free(ComponentId id) const;  // ready or draining, and nothing holds it
  bool can_be_idle(ComponentId id) const;
  void refresh_idle(ComponentId id);
  void drop_idle(ComponentId id);
  void begin_close(ComponentId id, Reason reason, std::optional<ComponentId> because,
                   Tier tier = Tier::unloaded);
  void start_unload(ComponentId id);
  void drain(ComponentId id, Reason reason, std::optional<ComponentId> because = {});
  void settle_drains();
  void undrain(ComponentId id);
  void gone(ComponentId id);
  void settle_unload_requests();
  std::vector<ComponentId> with_engaged_dependents(ComponentId id) const;
  bool refuse_unload(Request& request);
  void reply_unloaded(const Request& request);
  void note_defaults();
  void rekey_idle();
  EvictionCandidate candidate(ComponentId id) const;
  void set_state(ComponentId id, Trigger trigger);

  // leases.cpp
  void on(const event::LeaseTaken& event);
  void on(const event::LeaseRenewed& event);
  void on(const event::LeaseReleased& event);
  void on(const event::UseReported& event);
  LeaseId add_lease(Lease lease);
  void end_lease(LeaseId id, Reason reason, bool is_told, ComponentId cause);
  void end_leases_on(ComponentId id, Reason reason);
  void learn_from_lease(SessionId session, CommandId command, const std::vector<ComponentId>& asked,
                        bool is_use);
  void note_use(KnownCommand& command, ComponentId id, bool is_counted = true);

  // pressure.cpp
  void on(const event::MemorySampled& event);
  void on(const event::PowerSampled& event);
  template <class T>
  T less_ours(T total, Counted<T>& count) const;
  [[nodiscard]] bool is_anything_paging() const;
  void set_pressure(Pressure level);
  void rearm_idle();
  Duration idle_limit(ComponentId id) const;
  Instant idle_end(ComponentId id, Instant earliest) const;
  void withhold_from_budget();
  void relieve_budget();
  void relieve_pressure();
  void relieve_suffering();
  void relieve_what_is_foretold();
  std::vector<ComponentId> relief_order() const;
  struct Relief {
    ComponentId id{};
    Tier tier = Tier::unloaded;
    Bytes frees{};
  };
  std::vector<Relief> relief_until(Bytes& coming, Bytes goal) const;
  Bytes relieve(Bytes coming, Bytes goal, Reason reason);

  // tiers.cpp
  void on(const event::HibernateFinished& event);
  [[nodiscard]] Bytes freed_by_hibernating(ComponentId id) const;
  [[nodiscard]] Duration hibernating_takes(ComponentId id) const;
  [[nodiscard]] Duration resuming_takes(ComponentId id) const;
  // `is_waited_for`: somebody waits for the memory until it is out of the way.
  [[nodiscard]] bool is_worth_hibernating(ComponentId id, bool is_waited_for) const;
  [[nodiscard]] Ledger::Demand freed_by(ComponentId id, Tier tier) const;
  void make_leave(const Claim& claim, const std::vector<ComponentId>& victims, Reason reason,
                  std::optional<ComponentId> because);
  // Of all that is on its way there already: one after the other.
  [[nodiscard]] Duration paging_ahead() const;
  [[nodiscard]] static bool is_paging(State state) {
    return state == State::hibernating || state == State::resuming;
  }
  void start_hibernate(ComponentId id);
  void cancel_hibernations();
  void hibernated(ComponentId id, Bytes held, Duration took);
  void start_resume(ComponentId id);
  void resume_done(ComponentId id, Bytes measured);
  void resume_failed(ComponentId id);

  // forecast.cpp
  struct Coming {  // what a load under way will still take
    Duration within{0};
    Bytes bytes{};
  };
  std::vector<Coming> coming_loads() const;
  Bytes coming_bytes() const;
  // How fast memory falls apart from the loads under way, in bytes a second.
  static Trend beside(std::optional<Trend> trend, const std::vector<Coming>& loads);
  std::optional<Forecast> forecast() const;
  Bytes available_in(Duration time) const;
  Bytes leaves_soon() const;

  // lifetime.cpp
  void on(const event::ShutdownRequested& event);
  void on(const event::Restored& event);
  void forget_what_is_gone(const std::set<ComponentId>& running);
  void adopt(const event::Running& running);
  void settle_adopted();
  void settle_shutdown();
};

// An unload for one of these reasons is given up when the component comes into use meanwhile.
[[nodiscard]] bool is_soft(Reason reason);

// A learnt time, with the last that was taken.
[[nodiscard]] Duration averaged(Duration before, Duration took);

inline constexpr std::uint64_t internal_bit = 1ULL << 63;

}  // namespace hearth

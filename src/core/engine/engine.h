// The core: events in, actions out, the same on every machine.
//
// Contract   step() is the only way to change an Engine. It is a function of the events so far; it
//            has no clock, no thread, no file. The invariants I1-I7 of ARCHITECTURE.md hold after
//            every step.
// Bounds     a load reserves what was learnt of the component's lives (core/ledger/learnt_peaks.h)
//            once there are three of them, or once a life was above the declaration; before that
//            what is declared; and without either what the settings say of the unknown. A component
//            that runs is held at what was measured last.
// Pools      a request borrows while a pool of what it would load is above its size with it. When
//            ram is short, what is idle in a pool above its size goes first, for as long as that is
//            above; then all else that is idle. But what is in a pool within its size does not go,
//            by eviction, revoked lease or ended turn, for a request that borrows and is of no
//            higher priority, unless it needs something of a pool of the request's own. What is in
//            no pool borrows nothing and is protected by nothing. Shortages of other things than
//            ram, rivals and the pressure of the machine know no pools.
// Errors     step() has none: what the world does wrong is an answer (a Reply, a Decision).
// Threads    thread-compatible; one owner.
// Cost       a step costs what is resident or asked for, not what is declared.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/engine/action.h"
#include "core/engine/event.h"
#include "core/ledger/ledger.h"
#include "core/lifecycle/lifecycle.h"
#include "core/model/spec.h"
#include "core/policy/pressure.h"

namespace hearth {

struct ComponentView {
  ComponentId id{};
  std::string_view name{};  // valid until the next step
  State state = State::unloaded;
  Priority priority = Priority::medium;
  bool is_pinned = false;
  bool is_removed = false;
  bool is_admitted = false;      // it has its reservation, and its load or resume has not begun
  bool is_idle = false;          // resident, unleased, without resident dependents
  bool is_preload = false;       // loaded without demand and not used since
  WorkId load{};                 // the work that brought it up
  Bytes reserved{};              // in the ledger now
  Bytes peak{};                  // the highest of its last lives; 0 when never measured
  Bytes bound{};                 // what a load would reserve now
  bool is_estimate_off = false;  // `declared` is off by more than a quarter
  Bytes declared{};              // 0 when not declared
  Duration load_time{0};         // learnt
  Duration resume_time{0};       // learnt; 0 when it never hibernated
  double freed_share = 0;        // by hibernating, of what it held; learnt
  unsigned leases = 0;
  std::uint64_t uses = 0;  // evidence that it was needed, see event::UseReported
  std::uint64_t loads = 0;
  std::uint64_t unloads = 0;
  std::uint64_t failures = 0;
  std::uint64_t warm_uses = 0;
  Instant last_used{};
  Instant loaded_at{};
  Instant retry_at{};      // a failed one: not before
  double probability = 0;  // of the last command's text
};

struct LeaseView {
  LeaseId id{};
  std::string_view owner{};  // valid until the next step
  CommandId command{};
  SessionId session{};
  Instant granted_at{};
  Instant until{};
  bool is_preemptible = false;
  std::span<const ComponentId> components{};
};

struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t commands = 0;
  std::uint64_t loads = 0;
  std::uint64_t preloads = 0;
  std::uint64_t unloads = 0;
  std::uint64_t evictions = 0;
  std::uint64_t load_failures = 0;
  std::uint64_t exits = 0;
  std::uint64_t uses = 0;
  std::uint64_t warm_uses = 0;
  std::uint64_t refusals = 0;
  std::uint64_t objectives_met = 0;
  std::uint64_t objectives_missed = 0;
  std::uint64_t hibernations = 0;
  std::uint64_t resumes = 0;
  std::uint64_t resume_failures = 0;
  template <class A>
  void fields(A& a) {
    a(steps, commands, loads, preloads, unloads, evictions, load_failures, exits, uses, warm_uses,
      refusals, objectives_met, objectives_missed, hibernations, resumes, resume_failures);
  }
};

// What is in sight: this level, after so long from the last event.
struct Forecast {
  Pressure level = Pressure::low;
  Duration in{0};
};

class Engine {
 public:
  Engine();
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Appends to `actions`; what was in it stays.
  void step(const Event& event, std::vector<Action>& actions);

  // All state, as bytes with a version. restore() refuses other versions and damaged bytes, and
  // then changes nothing. After it, send event::Restored before anything else.
  [[nodiscard]] std::vector<std::byte> snapshot() const;
  [[nodiscard]] static Result<Engine> restore(std::span<const std::byte> bytes);
  static constexpr std::uint32_t version = 8;

  [[nodiscard]] std::size_t component_count() const;  // ids are below this
  [[nodiscard]] ComponentView component(ComponentId id) const;
  [[nodiscard]] std::optional<ComponentId> find(std::string_view name) const;
  [[nodiscard]] std::span<const ComponentId> needs_of(ComponentId id) const;      // direct
  [[nodiscard]] std::span<const ComponentId> conflicts_of(ComponentId id) const;  // both sides
  [[nodiscard]] Bytes bound(ComponentId id) const;  // what a load would reserve now
  [[nodiscard]] std::vector<LeaseView> leases() const;
  // For memory, a load, an unload, or that somebody lets go.
  [[nodiscard]] bool is_anybody_waiting() const;
  [[nodiscard]] std::size_t waiting() const;  // requests without a reply
  [[nodiscard]] const Ledger& ledger() const;
  [[nodiscard]] Pressure pressure() const;
  [[nodiscard]] bool saves_power() const;
  [[nodiscard]] Bytes available() const;  // of the last sample; unlimited before
  [[nodiscard]] const PressureGauge& gauge() const;
  // The next level of pressure, as things go; none when it is not in sight.
  [[nodiscard]] std::optional<Forecast> forecast() const;
  // When the machine should be looked at again: a MemorySampled after so long at most.
  [[nodiscard]] Duration next_look() const;
  [[nodiscard]] const Settings& settings() const;
  [[nodiscard]] const Totals& totals() const;
  [[nodiscard]] Instant now() const;  // of the last event
  [[nodiscard]] bool is_shutting_down() const;
  // The last decisions, oldest first.
  [[nodiscard]] std::vector<Decision> decisions() const;
  [[nodiscard]] std::vector<event::Learnt> learnt() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_{};
};

}  // namespace hearth

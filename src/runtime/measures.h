// What is measured of a running daemon beside what its engine counts: waits, queueing, loads,
// steps, ages at eviction, refusals, wasted preloads.
//
// Contract   filled by the shell from what the core has decided; the core knows nothing of it, and
//            a replay is not measured. All figures begin at zero with the process.
//
//   wait      from the request to all its components ready, of commands and leases that were
//             granted and waited for; by the highest priority that was asked for, and cold when
//             a component was not ready at the arrival.
//   queueing  of a request that found a component cold: until the first load that began for it;
//             zero when it joined one under way; all of its wait when it was refused before any.
//   load      from the start of a load to ready.
//   age       of an evicted component when its unload began: since it was last used or loaded.
//   wasted    a preload that was unloaded, ended, failed or was cancelled before a use.
//
// Threads    took_step() and observe() by the core's thread; waited(), refused() and figures() by
//            any.
// Cost       a few nanoseconds a sample; nothing is allocated, but when a component is seen first.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/action.h"
#include "core/engine/engine.h"
#include "runtime/histogram.h"

namespace hearth {

// Why a component is unloaded though nobody had asked for that: to make room.
inline constexpr std::array eviction_reasons{Reason::memory, Reason::pressure, Reason::over_budget,
                                             Reason::turn};

struct MeasureFigures {
  struct Waits {
    std::array<HistogramFigures, limit_of(Priority{})> warm;  // by priority
    std::array<HistogramFigures, limit_of(Priority{})> cold;
  };
  Waits waits;
  HistogramFigures queueing;
  HistogramFigures loads;
  HistogramFigures steps;
  std::array<HistogramFigures, eviction_reasons.size()> eviction_ages;
  std::array<std::uint64_t, limit_of(Reason{})> refusals{};  // by reason
  std::uint64_t preloads_wasted = 0;
};

class Measures {
 public:
  struct Wait {
    Duration took{0};
    Priority priority = Priority::low;
    bool is_cold = false;
  };

  Measures();

  void took_step(Duration span) { steps_.record(span); }
  void waited(const Wait& wait);
  // `none`: the journal cannot be written.
  void refused(Reason reason);
  // What the last step of `engine` has decided, before it is performed.
  void observe(const Engine& engine, std::span<const Action> actions);

  [[nodiscard]] MeasureFigures figures() const;

 private:
  using ByPriority = std::array<Histogram, limit_of(Priority{})>;
  // Of a component's life, from its load to its end.
  struct Life {
    Instant load_began{};
    Duration age{0};  // when its unload began
    bool is_unused_preload = false;
  };
  void decided(const Engine& engine, const Decision& decision);
  void granted(const Engine& engine, const action::Reply& reply, Reason reason);
  void refused(const Engine& engine, const action::Reply& reply);
  [[nodiscard]] static Wait wait_of(const Engine& engine, const action::Reply& reply);
  void queued(const Engine& engine, const action::Reply& reply, Instant arrived);
  void ended(const Engine& engine, ComponentId id);
  [[nodiscard]] Life& life(ComponentId id);

  ByPriority warm_waits_;
  ByPriority cold_waits_;
  Histogram queueing_;
  Histogram loads_;
  Histogram steps_;
  std::array<Histogram, eviction_reasons.size()> eviction_ages_;
  std::array<std::atomic<std::uint64_t>, limit_of(Reason{})> refusals_{};
  std::atomic<std::uint64_t> preloads_wasted_{0};

  // The core thread's.
  std::vector<Life> lives_;  // by id
};

}  // namespace hearth

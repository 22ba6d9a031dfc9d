// The states of a component and which follow which: one constexpr table.
//
// Contract   next(state, trigger) is the state after it, or none when the trigger has no row: then
//            the caller has a fault.
// Threads    pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace hearth {

enum class State : unsigned char {
  unloaded,
  loading,
  ready,
  closing,   // its gate is being closed
  draining,  // unload asked while leased: no new leases
  unloading,
  hibernating,
  hibernated,
  resuming,
  failed,
};
constexpr unsigned limit_of(State) { return 10; }

enum class Trigger : unsigned char {
  load,  // a load starts
  load_done,
  load_failed,  // or cancelled
  close,        // the gate is told to close
  gate_refused,
  gate_closed,
  drain,
  undrain,
  cancel_done,  // a cancelled load finished all the same: it is unloaded at once
  unload_done,
  exited,
  forget,     // a failure is over: it may be tried again
  hibernate,  // its gate is closed, and it is frozen and paged out rather than ended
  hibernate_done,
  hibernate_refused,  // it runs on as it was: it is unloaded instead
  resume,
  resume_done,
  evict_hibernated,
};
inline constexpr int trigger_count = 18;

struct Transition {
  State from;
  Trigger trigger;
  State to;
};

inline constexpr std::array transitions{
    Transition{State::unloaded, Trigger::load, State::loading},
    Transition{State::failed, Trigger::load, State::loading},
    Transition{State::loading, Trigger::load_done, State::ready},
    Transition{State::loading, Trigger::load_failed, State::failed},
    Transition{State::loading, Trigger::cancel_done, State::unloading},
    Transition{State::ready, Trigger::close, State::closing},
    Transition{State::draining, Trigger::close, State::closing},
    Transition{State::closing, Trigger::gate_refused, State::ready},
    Transition{State::closing, Trigger::gate_closed, State::unloading},
    Transition{State::ready, Trigger::drain, State::draining},
    Transition{State::draining, Trigger::undrain, State::ready},
    Transition{State::unloading, Trigger::unload_done, State::unloaded},
    Transition{State::ready, Trigger::exited, State::failed},
    Transition{State::closing, Trigger::exited, State::failed},
    Transition{State::draining, Trigger::exited, State::failed},
    Transition{State::hibernating, Trigger::exited, State::failed},
    Transition{State::hibernated, Trigger::exited, State::failed},
    Transition{State::failed, Trigger::forget, State::unloaded},
    Transition{State::closing, Trigger::hibernate, State::hibernating},
    Transition{State::hibernating, Trigger::hibernate_done, State::hibernated},
    Transition{State::hibernating, Trigger::hibernate_refused, State::unloading},
    Transition{State::hibernated, Trigger::resume, State::resuming},
    Transition{State::resuming, Trigger::resume_done, State::ready},
    Transition{State::resuming, Trigger::load_failed, State::failed},
    Transition{State::resuming, Trigger::cancel_done, State::unloading},
    Transition{State::hibernated, Trigger::evict_hibernated, State::unloading},
};

[[nodiscard]] constexpr std::optional<State> next(State from, Trigger trigger) {
  for (const Transition& row : transitions) {
    if (row.from == from && row.trigger == trigger) return row.to;
  }
  return std::nullopt;
}

// Holds memory: everything but unloaded and failed.
[[nodiscard]] constexpr bool is_resident(State state) {
  return state != State::unloaded && state != State::failed;
}

[[nodiscard]] std::string_view name_of(State state);

}  // namespace hearth

// What the core decided and why, as data: told by `hearth why`, the log and the history.
//
// Contract   a decision names its component, the other party where there is one, and the figures
//            that were compared. Words are made of it elsewhere (codec/decision_text.h).
// Threads    values.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/units.h"

namespace hearth {

enum class DecisionKind : unsigned char {
  load_started,  // reason: demand, preload, core, eager, lease, pin, restart, default_back
  load_done,     // bytes: measured; figure: load time in ms; other_bytes: reserved
  load_failed,   // figure: attempt
  load_cancelled,
  unload_started,  // reason: evicted_for, displaced_by, idle, expired, pressure, asked, ...; bytes:
                   // freed; other_bytes: what the other takes, without one: what is short
  unload_done,
  waiting,  // a request waits: reason memory, conflict, slots, pressure, retry
  refused,  // a request was refused
  granted,
  lease_ended,        // reason: expired, lost, revoked, released
  exited,             // a ready component ended by itself
  pressure_changed,   // figure: new level, other_figure: old level; bytes: available; reason: the
                      // sign that says so: pressure (memory), own_limit, stall, swap
  nothing_evictable,  // bytes: shortfall
  over_budget,        // a measurement or a smaller budget put it over; bytes: by how much
  estimate_off,  // the declaration is off by more than a quarter: bytes measured, other declared
  pinned,
  unpinned,
  configured,
  shutdown,
  hibernate_started,  // reason: as of an unload; bytes: held; other_bytes: to be freed
  hibernate_done,     // bytes: freed; other_bytes: still held; figure: ms
  hibernate_refused,  // reason: unable, or frees_little with the figures of hibernate_done
  resume_started,     // reason: as of a load; other_bytes: the rest that it held
  resume_done,        // bytes: measured; figure: ms
  resume_failed,      // it ended; what waits for it is loaded anew
  power_changed,      // reason: battery, when power is saved from now on, or mains; figure: charge
};
constexpr unsigned limit_of(DecisionKind) { return 26; }

enum class Reason : unsigned char {
  none,
  demand,   // a command asked for it
  preload,  // likely, not asked for
  core,     // always resident
  eager,    // lazy: false
  lease,
  operator_asked,  // load or unload by hand
  pin,
  restart,  // it exited while in use, or its configuration changed
  default_back,
  need,      // another component needs it
  memory,    // not enough of the budget
  pool,      // not enough of its pool
  device,    // not enough of another resource
  conflict,  // a rival is resident
  pressure,
  slots,  // as many loads under way as allowed
  idle,   // idle limit or ttl
  expired,
  leased,
  lost,  // the component under it is gone
  revoked,
  released,
  unused_preload,
  timed_out,
  load_failed,
  unknown_component,
  unknown_lease,
  unknown_command,
  too_large,  // above the budget by itself: never fits
  queue_full,
  shutting_down,
  removed,    // no longer in the configuration
  need_gone,  // something it needs is not ready any more
  over_budget,
  abandoned,
  conflicting_set,   // the request itself asks for two rivals
  outranked,         // a rival of higher priority is resident
  pool_too_small,    // above its pool, with its needs: never fits
  device_too_small,  // above another resource, with its needs: never fits
  turn,              // its turn is over: others wait for their own
  machine,           // the budget has room, the machine has not
  foretold,          // memory will be short before long
  own_limit,         // of pressure: our own control group is near its limit
  stall,             // of pressure: programs wait for memory
  swap,              // of pressure: memory goes to the swap and comes back
  unable,            // the machine, or the component, cannot do it
  frees_little,      // hibernating: less than a quarter
  battery,           // it is low
  mains,             // it is not, or not used
};
constexpr unsigned limit_of(Reason) { return 50; }

[[nodiscard]] std::string_view name_of(DecisionKind kind);
[[nodiscard]] std::string_view name_of(Reason reason);

struct Decision {
  std::uint64_t sequence = 0;  // counts decisions from 1
  Instant at{};
  DecisionKind kind = DecisionKind::configured;
  Reason reason = Reason::none;
  ComponentId component{};  // meaningless when has_component is false
  ComponentId other{};      // meaningless when has_other is false
  bool has_component = false;
  bool has_other = false;
  RequestId request{};
  CommandId command{};
  LeaseId lease{};
  Bytes bytes{};
  Bytes other_bytes{};
  double figure = 0;
  double other_figure = 0;

  template <class A>
  void fields(A& a) {
    a(sequence, at, kind, reason, component, other, has_component, has_other, request, command,
      lease, bytes, other_bytes, figure, other_figure);
  }
};

}  // namespace hearth

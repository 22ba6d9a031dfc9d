// What the core is told: its whole input, in order.
//
// Contract   an event says what happened, never what should be done. The order of appending is the
//            order of events; Event::at never goes back (the engine takes the larger of it and its
//            own time). Every event can be stored and read back (fields()).
// Threads    values.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "core/model/spec.h"

namespace hearth {

struct Intent {
  ComponentId component{};
  double probability = 0;

  bool operator==(const Intent&) const = default;
  template <class A>
  void fields(A& a) {
    a(component, probability);
  }
};

// Of a hibernation: it is out of the way; it could not be done and all is as it was; it has ended.
enum class HibernateOutcome : unsigned char { asleep, awake, ended };
constexpr unsigned limit_of(HibernateOutcome) { return 3; }

enum class WorkOutcome : unsigned char { done, failed, cancelled };
constexpr unsigned limit_of(WorkOutcome) { return 3; }

namespace event {

// The first configuration, or a new one. Unknown names become new components; names that are gone
// drain and are unloaded; ids of names that stay do not change.
struct Configured {
  Configuration configuration{};
  template <class A>
  void fields(A& a) {
    a(configuration);
  }
};

// A user's command with its intents already computed. One Reply answers `request`.
struct CommandReceived {
  RequestId request{};
  CommandId command{};
  SessionId session{};
  std::vector<Intent> intents{};
  bool waits = true;  // false: reply "accepted" at once, loads go on
  Duration patience{30s};
  Duration lease{60s};
  std::string note{};             // what the history keeps of it; opaque to the engine
  bool ends_with_answer = false;  // the lease, as in LeaseRequested; no evidence of a use
  template <class A>
  void fields(A& a) {
    a(request, command, session, intents, waits, patience, lease, note, ends_with_answer);
  }
};

struct SignalReceived {
  std::string name{};
  SessionId session{};
  template <class A>
  void fields(A& a) {
    a(name, session);
  }
};

// An application wants to hold these components (their needs come with them).
struct LeaseRequested {
  RequestId request{};
  std::vector<ComponentId> components{};
  SessionId session{};
  CommandId command{};  // none, or the command whose use this lease proves
  std::string owner{};
  Duration patience{30s};
  Duration length{60s};
  bool is_preemptible = false;
  bool is_use = false;  // somebody outside named them: a use by itself, whatever the command
  bool ends_with_answer = false;  // and with the daemon: its components may take turns
  template <class A>
  void fields(A& a) {
    a(request, components, session, command, owner, patience, length, is_preemptible, is_use,
      ends_with_answer);
  }
};

// A lease that the shell has taken through open gates without waiting for the core. Its id is the
// shell's: the top bit is set. The engine answers its end with one ReleaseGate a component.
struct LeaseTaken {
  LeaseId lease{};
  std::vector<ComponentId> components{};  // with their needs: every gate that was taken
  std::vector<ComponentId> asked{};       // those of them that were asked for
  SessionId session{};
  CommandId command{};
  std::vector<Intent> intents{};  // of the command whose answer it is
  std::string owner{};
  Duration length{60s};
  bool is_preemptible = false;
  std::string note{};   // as in CommandReceived
  bool is_use = false;  // as in LeaseRequested
  bool ends_with_answer = false;
  template <class A>
  void fields(A& a) {
    a(lease, components, asked, session, command, intents, owner, length, is_preemptible, note,
      is_use, ends_with_answer);
  }
};

struct LeaseRenewed {
  RequestId request{};
  LeaseId lease{};
  Duration length{60s};
  template <class A>
  void fields(A& a) {
    a(request, lease, length);
  }
};

struct LeaseReleased {
  RequestId request{};
  LeaseId lease{};
  template <class A>
  void fields(A& a) {
    a(request, lease);
  }
};

struct LoadRequested {
  RequestId request{};
  ComponentId component{};
  bool waits = true;
  Duration patience{30s};
  template <class A>
  void fields(A& a) {
    a(request, component, waits, patience);
  }
};

// Refused (409, reason leased) when one of them is leased; `components` empty means all that are
// resident and neither leased nor core.
struct UnloadRequested {
  RequestId request{};
  std::vector<ComponentId> components{};
  template <class A>
  void fields(A& a) {
    a(request, components);
  }
};

// A pinned component is loaded and stays until it is unpinned.
struct PinRequested {
  RequestId request{};
  ComponentId component{};
  bool is_pinned = true;
  template <class A>
  void fields(A& a) {
    a(request, component, is_pinned);
  }
};

// POST /v1/commands/{id}/used; empty means "nothing was needed".
struct UseReported {
  RequestId request{};
  CommandId command{};
  std::vector<ComponentId> used{};
  template <class A>
  void fields(A& a) {
    a(request, command, used);
  }
};

// Whoever asked is gone: no reply is sent, what it alone wanted may be cancelled. When the request
// was already granted a lease whose answer nobody took, the lease ends.
struct RequestAbandoned {
  RequestId request{};
  template <class A>
  void fields(A& a) {
    a(request);
  }
};

// Answers StartLoad or StartResume, exactly once a WorkId. `measured` is ram held when ready. A
// resume that is not done has ended the component.
struct LoadFinished {
  WorkId work{};
  WorkOutcome outcome = WorkOutcome::done;
  Bytes measured{};
  std::string detail{};  // of a failure, for a person
  template <class A>
  void fields(A& a) {
    a(work, outcome, measured, detail);
  }
};

// Answers StartUnload, exactly once a WorkId; the memory is free by then.
struct UnloadFinished {
  WorkId work{};
  template <class A>
  void fields(A& a) {
    a(work);
  }
};

// Answers StartHibernate, exactly once a WorkId. `held`: ram that it still takes, with what the
// swap takes of ram for it. `took`: from its turn on; what went before it does not count.
struct HibernateFinished {
  WorkId work{};
  HibernateOutcome outcome = HibernateOutcome::asleep;
  Bytes held{};
  Duration took{0};
  std::string detail{};  // why it could not be done, for a person
  template <class A>
  void fields(A& a) {
    a(work, outcome, held, took, detail);
  }
};

// Answers CloseGate: closed, or refused because `leases` fast leases hold it open.
struct GateClosed {
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(component);
  }
};
struct GateRefused {
  ComponentId component{};
  std::uint32_t leases = 0;
  template <class A>
  void fields(A& a) {
    a(component, leases);
  }
};

// A component that was ready ended by itself. `load` is the work that had brought it up: an exit of
// an earlier life is ignored.
struct ComponentExited {
  ComponentId component{};
  WorkId load{};
  std::string detail{};
  template <class A>
  void fields(A& a) {
    a(component, load, detail);
  }
};

// What a component holds of one of Configuration::resources.
struct DeviceHeld {
  ComponentId component{};
  std::string resource{};
  Bytes bytes{};
  template <class A>
  void fields(A& a) {
    a(component, resource, bytes);
  }
};

// A look at the machine, as MemorySigns has it. `measured`: ram now held by resident components;
// only those that were measured with it. `devices`: the same of the devices that were.
struct MemorySampled {
  Bytes available{};
  std::vector<std::pair<ComponentId, Bytes>> measured{};
  bool is_own_limit = false;
  Duration stalled{0};
  Bytes swapped{};
  std::vector<DeviceHeld> devices{};
  template <class A>
  void fields(A& a) {
    a(available, measured, is_own_limit, stalled, swapped, devices);
  }
};

// The batteries, as PowerSigns has them.
struct PowerSampled {
  bool is_on_battery = false;
  double charge = 1;
  template <class A>
  void fields(A& a) {
    a(is_on_battery, charge);
  }
};

// The time that ArmTimer asked for has come (a spurious one does no harm).
struct TimerFired {
  template <class A>
  void fields(A&) {}
};

// Drain and unload everything in reverse order of needs, then emit Stopped.
struct ShutdownRequested {
  template <class A>
  void fields(A&) {}
};

// After restore() or a cold start: what is really running. What the engine believed to run and is
// not listed has exited; work that was under way is void and never finishes.
struct Running {
  ComponentId component{};
  WorkId load{};
  Bytes measured{};
  template <class A>
  void fields(A& a) {
    a(component, load, measured);
  }
};
struct Restored {
  std::vector<Running> running{};
  template <class A>
  void fields(A& a) {
    a(running);
  }
};

// Learnt elsewhere (an earlier version's state, the store): what each of its last lives held at its
// peak, of ram and by the name of other resources, oldest first, and its load time.
struct LearntDevice {
  std::string resource{};
  std::vector<Bytes> lives{};
  template <class A>
  void fields(A& a) {
    a(resource, lives);
  }
};
struct Learnt {
  std::string name{};
  std::vector<Bytes> lives{};
  Duration load_time{0};
  std::vector<LearntDevice> devices{};
  template <class A>
  void fields(A& a) {
    a(name, lives, load_time, devices);
  }
};
struct LearntBefore {
  std::vector<Learnt> components{};
  template <class A>
  void fields(A& a) {
    a(components);
  }
};

}  // namespace event

struct Event {
  using What = std::variant<
      event::Configured, event::CommandReceived, event::SignalReceived, event::LeaseRequested,
      event::LeaseTaken, event::LeaseRenewed, event::LeaseReleased, event::LoadRequested,
      event::UnloadRequested, event::PinRequested, event::UseReported, event::RequestAbandoned,
      event::LoadFinished, event::UnloadFinished, event::GateClosed, event::GateRefused,
      event::ComponentExited, event::MemorySampled, event::TimerFired, event::ShutdownRequested,
      event::Restored, event::LearntBefore, event::HibernateFinished, event::PowerSampled>;
  Instant at{};
  What what{};
  template <class A>
  void fields(A& a) {
    a(at, what);
  }
};

// The name of each alternative of Event::What, in its order ("configured", "command", ...).
[[nodiscard]] std::string_view name_of(const Event& event);
inline constexpr std::uint32_t events_version = 7;  // of the stored form of Event

}  // namespace hearth

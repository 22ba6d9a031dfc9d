// What the core asks for: its whole output, in order.
//
// Contract   the shell performs actions in order and decides nothing. Each StartLoad and
// StartResume
//            is answered by one LoadFinished, each StartUnload by one UnloadFinished, each
//            StartHibernate by one HibernateFinished, each CloseGate by GateClosed or GateRefused;
//            each request gets exactly one Reply (none when it was abandoned first).
// Threads    values.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/units.h"
#include "core/engine/decision.h"

namespace hearth {

namespace action {

struct StartLoad {
  WorkId work{};
  ComponentId component{};
  Bytes reserved{};
  unsigned attempt = 1;
  bool is_preload = false;
  template <class A>
  void fields(A& a) {
    a(work, component, reserved, attempt, is_preload);
  }
};
// The load is not wanted any more or took too long: LoadFinished still comes, with any outcome. Or
// a hibernation would take too long for what comes: HibernateFinished comes, with any outcome.
struct CancelLoad {
  WorkId work{};
  template <class A>
  void fields(A& a) {
    a(work);
  }
};
// Opened after a load is done or a component is adopted; closed before an unload. A refused gate is
// open still.
struct OpenGate {
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(component);
  }
};
struct CloseGate {
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(component);
  }
};
// It has to go as soon as those who hold it let go: nobody else may take it. OpenGate undoes it.
struct BarGate {
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(component);
  }
};
// One fast lease on this component has ended.
struct ReleaseGate {
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(component);
  }
};
struct StartUnload {
  WorkId work{};
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(work, component);
  }
};
// Frozen, and as much of it paged out as can be. Its gate is closed, nothing that it needs goes
// before it.
struct StartHibernate {
  WorkId work{};
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(work, component);
  }
};
// Of what hibernates: ready again as after a load. CancelLoad may follow.
struct StartResume {
  WorkId work{};
  ComponentId component{};
  Bytes reserved{};
  template <class A>
  void fields(A& a) {
    a(work, component, reserved);
  }
};
// Replaces the one before: send TimerFired at `at` (Instant::never(): none).
struct ArmTimer {
  Instant at{};
  template <class A>
  void fields(A& a) {
    a(at);
  }
};

struct ReplyComponent {
  ComponentId component{};
  bool is_cold = false;  // was not ready when the request arrived
  bool is_ready = false;
  bool is_asked = true;  // false: it came along as a need of another
  template <class A>
  void fields(A& a) {
    a(component, is_cold, is_ready, is_asked);
  }
};
struct Reply {
  RequestId request{};
  bool is_granted = false;   // false: `code`, `reason` and the culprits say why
  bool is_accepted = false;  // granted without waiting (202)
  Errc code = Errc::failed;
  Reason reason = Reason::none;
  ComponentId component{};  // whom the refusal is about
  ComponentId other{};      // the rival or the need behind it, else the same as component
  LeaseId lease{};
  Instant lease_until{};
  CommandId command{};
  Duration wait{0};
  std::vector<ReplyComponent> components{};
  template <class A>
  void fields(A& a) {
    auto raw = static_cast<std::uint32_t>(code);
    a(request, is_granted, is_accepted, raw, reason, component, other, lease, lease_until, command,
      wait, components);
    code = static_cast<Errc>(raw % static_cast<std::uint32_t>(errc_count));
  }
};

// A lease ended though its owner did not release it.
struct LeaseEnded {
  LeaseId lease{};
  Reason reason = Reason::none;
  ComponentId component{};
  template <class A>
  void fields(A& a) {
    a(lease, reason, component);
  }
};

// Evidence: this command really used these components.
struct Learn {
  CommandId command{};
  std::vector<ComponentId> used{};
  template <class A>
  void fields(A& a) {
    a(command, used);
  }
};

struct Record {
  Decision decision{};
  template <class A>
  void fields(A& a) {
    a(decision);
  }
};

// The last action of a shutdown.
struct Stopped {
  template <class A>
  void fields(A&) {}
};

}  // namespace action

using Action =
    std::variant<action::StartLoad, action::CancelLoad, action::OpenGate, action::CloseGate,
                 action::BarGate, action::ReleaseGate, action::StartUnload, action::StartHibernate,
                 action::StartResume, action::ArmTimer, action::Reply, action::LeaseEnded,
                 action::Learn, action::Record, action::Stopped>;

}  // namespace hearth

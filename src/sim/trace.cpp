#include "sim/trace.h"

#include <span>

#include "sim/checker.h"

namespace hearth::sim {
namespace {

struct Teller {
  const Engine& engine;

  std::string of(ComponentId id) const {
    if (id.value >= engine.component_count()) return "?" + std::to_string(id.value);
    return std::string{engine.component(id).name};
  }
  std::string of(std::span<const ComponentId> ids) const {
    std::string text;
    for (const ComponentId id : ids) text += " " + of(id);
    return text;
  }
  static std::string of(WorkId id) { return " w" + std::to_string(id.value); }
  static std::string of(RequestId id) { return " r" + std::to_string(id.value); }
  static std::string of(LeaseId id) {
    const bool is_fast = (id.value >> 63) != 0;
    return (is_fast ? " f" : " l") + std::to_string(id.value & ~(1ULL << 63));
  }
  static std::string of(Duration span) {
    return " " + std::to_string(span.count() / 1000000) + "ms";
  }

  std::string operator()(const event::Configured& e) const {
    return " " + std::to_string(e.configuration.components.size()) + " components, budget " +
           megabytes(e.configuration.settings.budget) + ", " + e.configuration.settings.policy;
  }
  std::string operator()(const event::CommandReceived& e) const {
    std::string text = of(e.request);
    for (const Intent& intent : e.intents) {
      text += " " + of(intent.component) + ":" +
              std::to_string(static_cast<int>(intent.probability * 100));
    }
    return text + " patience" + of(e.patience) + (e.waits ? "" : " does not wait");
  }
  std::string operator()(const event::SignalReceived& e) const { return " " + e.name; }
  std::string operator()(const event::LeaseRequested& e) const {
    return of(e.request) + of(e.components) + " patience" + of(e.patience) +
           (e.is_preemptible ? " preemptible" : "") + (e.ends_with_answer ? " for an answer" : "");
  }
  std::string operator()(const event::LeaseTaken& e) const {
    return of(e.lease) + of(e.components) + of(e.length);
  }
  std::string operator()(const event::LeaseRenewed& e) const { return of(e.request) + of(e.lease); }
  std::string operator()(const event::LeaseReleased& e) const {
    return of(e.request) + of(e.lease);
  }
  std::string operator()(const event::LoadRequested& e) const {
    return of(e.request) + " " + of(e.component);
  }
  std::string operator()(const event::UnloadRequested& e) const {
    return of(e.request) + of(e.components);
  }
  std::string operator()(const event::PinRequested& e) const {
    return of(e.request) + " " + of(e.component) + (e.is_pinned ? " on" : " off");
  }
  std::string operator()(const event::UseReported& e) const { return of(e.request) + of(e.used); }
  std::string operator()(const event::RequestAbandoned& e) const { return of(e.request); }
  std::string operator()(const event::LoadFinished& e) const {
    const char* outcome = e.outcome == WorkOutcome::done     ? " done "
                          : e.outcome == WorkOutcome::failed ? " failed "
                                                             : " cancelled ";
    return of(e.work) + outcome + megabytes(e.measured);
  }
  std::string operator()(const event::UnloadFinished& e) const { return of(e.work); }
  std::string operator()(const event::GateClosed& e) const { return " " + of(e.component); }
  std::string operator()(const event::GateRefused& e) const {
    return " " + of(e.component) + " " + std::to_string(e.leases);
  }
  std::string operator()(const event::ComponentExited& e) const {
    return " " + of(e.component) + of(e.load);
  }
  std::string operator()(const event::MemorySampled& e) const {
    std::string text = " " + megabytes(e.available);
    for (const auto& [id, bytes] : e.measured) text += " " + of(id) + "=" + megabytes(bytes);
    return text;
  }
  std::string operator()(const event::TimerFired&) const { return ""; }
  std::string operator()(const event::ShutdownRequested&) const { return ""; }
  std::string operator()(const event::Restored& e) const {
    std::string text;
    for (const event::Running& r : e.running) text += " " + of(r.component) + of(r.load);
    return text;
  }
  std::string operator()(const event::LearntBefore&) const { return ""; }
  std::string operator()(const event::PowerSampled& e) const {
    return (e.is_on_battery ? " battery " : " mains ") +
           std::to_string(static_cast<int>(e.charge * 100)) + " %";
  }
  std::string operator()(const event::HibernateFinished& e) const {
    const char* outcome = e.outcome == HibernateOutcome::asleep  ? " asleep "
                          : e.outcome == HibernateOutcome::awake ? " awake "
                                                                 : " ended ";
    return of(e.work) + outcome + megabytes(e.held);
  }

  std::string operator()(const action::StartLoad& a) const {
    return "start load " + of(a.component) + of(a.work) + " " + megabytes(a.reserved) +
           " attempt " + std::to_string(a.attempt) + (a.is_preload ? " preload" : "");
  }
  std::string operator()(const action::CancelLoad& a) const { return "cancel load" + of(a.work); }
  std::string operator()(const action::OpenGate& a) const { return "open gate " + of(a.component); }
  std::string operator()(const action::CloseGate& a) const {
    return "close gate " + of(a.component);
  }
  std::string operator()(const action::BarGate& a) const { return "bar gate " + of(a.component); }
  std::string operator()(const action::ReleaseGate& a) const {
    return "release gate " + of(a.component);
  }
  std::string operator()(const action::StartUnload& a) const {
    return "start unload " + of(a.component) + of(a.work);
  }
  std::string operator()(const action::StartHibernate& a) const {
    return "start hibernate " + of(a.component) + of(a.work);
  }
  std::string operator()(const action::StartResume& a) const {
    return "start resume " + of(a.component) + of(a.work);
  }
  std::string operator()(const action::ArmTimer& a) const {
    return "arm timer " + (a.at == Instant::never() ? "never" : to_text(a.at));
  }
  std::string operator()(const action::Reply& a) const {
    std::string text = "reply" + of(a.request);
    if (!a.is_granted) {
      return text + " refused " + std::string{name_of(a.reason)} + " " + of(a.component) + " " +
             of(a.other);
    }
    text += a.is_accepted ? " accepted" : " granted" + of(a.lease);
    for (const action::ReplyComponent& row : a.components) text += " " + of(row.component);
    return text + " wait" + of(a.wait);
  }
  std::string operator()(const action::LeaseEnded& a) const {
    return "lease ended" + of(a.lease) + " " + std::string{name_of(a.reason)};
  }
  std::string operator()(const action::Learn& a) const { return "learn" + of(a.used); }
  std::string operator()(const action::Record& a) const {
    const Decision& d = a.decision;
    return "record " + std::string{name_of(d.kind)} + " " + std::string{name_of(d.reason)} +
           (d.has_component ? " " + of(d.component) : "") + (d.has_other ? " " + of(d.other) : "");
  }
  std::string operator()(const action::Stopped&) const { return "stopped"; }
};

}  // namespace

std::string to_text(Instant at) {
  const std::int64_t ms = at.ns / 1000000;
  const auto padded = [](std::int64_t value, std::size_t width) {
    std::string digits = std::to_string(value);
    if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
    return digits;
  };
  return padded(ms / 3600000, 2) + ":" + padded(ms / 60000 % 60, 2) + ":" +
         padded(ms / 1000 % 60, 2) + "." + padded(ms % 1000, 3);
}

std::string state_table(const Engine& engine) {
  const Teller teller{engine};
  std::string text;
  for (std::uint32_t i = 0; i < engine.component_count(); ++i) {
    const ComponentView view = engine.component(ComponentId{i});
    text += std::string{view.name} + " " + std::string{name_of(view.state)} + " priority " +
            std::string{name_of(view.priority)} + ", holds " + megabytes(view.reserved) +
            ", bound " + megabytes(engine.bound(view.id)) + ", leases " +
            std::to_string(view.leases);
    if (view.is_idle) text += ", idle";
    if (view.is_pinned) text += ", pinned";
    if (view.is_preload) text += ", preload";
    if (view.is_removed) text += ", removed";
    if (!engine.needs_of(view.id).empty()) text += ", needs" + teller.of(engine.needs_of(view.id));
    if (!engine.conflicts_of(view.id).empty()) {
      text += ", conflicts" + teller.of(engine.conflicts_of(view.id));
    }
    text += '\n';
  }
  const Ledger& ledger = engine.ledger();
  for (std::uint16_t i = 0; i < ledger.resource_count(); ++i) {
    text += "resource " + std::to_string(i) + ": " + megabytes(ledger.used(ResourceId{i})) +
            " of " + megabytes(ledger.budget(ResourceId{i})) + '\n';
  }
  for (std::uint16_t i = 1; i < ledger.pool_count(); ++i) {
    text += "pool " + std::to_string(i) + ": " + megabytes(ledger.pool_used(PoolId{i})) + " of " +
            megabytes(ledger.pool_budget(PoolId{i})) + '\n';
  }
  return text;
}

std::string to_text(const Event& event, const Engine& engine) {
  return to_text(event.at) + " " + std::string{name_of(event)} +
         std::visit(Teller{engine}, event.what);
}

std::string to_text(const Action& action, const Engine& engine) {
  return "    " + std::visit(Teller{engine}, action);
}

}  // namespace hearth::sim

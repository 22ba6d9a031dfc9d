#include "codec/decision_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "codec/config.h"

namespace hearth {
namespace {

std::string who(ComponentId id, const NameOf& name_of_id) {
  std::string name = name_of_id ? name_of_id(id) : std::string{};
  std::ranges::replace(name, '\n', ' ');
  return name.empty() ? "component " + std::to_string(id.value) : name;
}

// Milliseconds as a person reads them.
std::string span_text(double value_ms) {
  if (!std::isfinite(value_ms) || std::abs(value_ms) > 1e12) return "a long time";
  const auto ns = static_cast<std::int64_t>(value_ms * 1e6);
  return format_duration(Duration{ns < 1'000'000 ? ns : ns / 10'000 * 10'000});
}

std::string count_text(double value) {
  if (!std::isfinite(value) || value < 0 || value > 1e15) return "?";
  return std::to_string(static_cast<std::uint64_t>(value));
}

std::string level_text(double value) {
  const bool is_level = value >= 0 && value < limit_of(Pressure{});
  return std::string{is_level ? name_of(static_cast<Pressure>(static_cast<int>(value)))
                              : "unknown"};
}

// "because ..." of a load, an unload, a lease's end; the same words wherever a reason is told.
std::string because(Reason reason, const std::string& other) {
  const std::string rival = other.empty() ? "another component" : other;
  switch (reason) {
    case Reason::none:
      return "for no stated reason";
    case Reason::demand:
      return "a command asked for it";
    case Reason::preload:
      return "it is likely to be asked for";
    case Reason::core:
      return "it is core: always resident";
    case Reason::eager:
      return "it is `lazy: false`: loaded at start";
    case Reason::lease:
      return "an application asked for a lease on it";
    case Reason::operator_asked:
      return "asked for by hand";
    case Reason::pin:
      return "it is pinned";
    case Reason::restart:
      return "it must be started anew";
    case Reason::default_back:
      return "it is the default, and what displaced it is idle";
    case Reason::need:
      return (other.empty() ? "another component" : other) + " needs it";
    case Reason::memory:
      return other.empty() ? "memory is needed" : rival + " needs its memory";
    case Reason::pool:
      return "its pool is needed" + (other.empty() ? "" : " by " + other);
    case Reason::device:
      return "its device is needed" + (other.empty() ? "" : " by " + other);
    case Reason::conflict:
      return "it conflicts with " + rival;
    case Reason::pressure:
      return "the machine is short of memory";
    case Reason::slots:
      return "as many loads are under way as may be";
    case Reason::idle:
      return "nobody used it for its idle limit";
    case Reason::expired:
      return "its time was over";
    case Reason::leased:
      return "it is leased";
    case Reason::lost:
      return "it ended by itself";
    case Reason::revoked:
      return "it was preemptible and its memory is needed";
    case Reason::released:
      return "it was released";
    case Reason::unused_preload:
      return "it was loaded ahead and not used";
    case Reason::timed_out:
      return "it took too long";
    case Reason::load_failed:
      return "it did not load";
    case Reason::unknown_component:
      return "there is no such component";
    case Reason::unknown_lease:
      return "there is no such lease";
    case Reason::unknown_command:
      return "there is no such command";
    case Reason::too_large:
      return "it is larger than the whole budget";
    case Reason::queue_full:
      return "too many requests wait";
    case Reason::shutting_down:
      return "the daemon is shutting down";
    case Reason::removed:
      return "it is no longer in the configuration";
    case Reason::need_gone:
      return "something that it needs is gone";
    case Reason::over_budget:
      return "more is held than the budget allows";
    case Reason::abandoned:
      return "nobody waits for it any more";
    case Reason::conflicting_set:
      return "two that conflict were asked for together";
  }
  return "for an unknown reason";
}

std::string waiting_text(const Decision& decision, const std::string& name,
                         const std::string& other) {
  const std::string bytes = format_bytes(decision.bytes);
  const std::string free = format_bytes(decision.other_bytes);
  const std::string rival = other.empty() ? "another component" : other;
  const Reason reason = decision.reason;
  if (reason == Reason::memory) {
    return name + ": waits for memory: it takes " + bytes + ", " + free + " is free";
  }
  if (reason == Reason::pool) return name + ": waits for room in its pool: it takes " + bytes;
  if (reason == Reason::device) return name + ": waits for a device";
  if (reason == Reason::conflict) {
    return name + ": waits because it conflicts with " + rival + ", which is resident";
  }
  if (reason == Reason::revoked) {
    return name + ": lease " + std::to_string(decision.lease.value) +
           " is being revoked: its owner was told";
  }
  return name + ": waits: " + because(decision.reason, other);
}

std::string load_started_text(const Decision& d, const std::string& name,
                              const std::string& other) {
  const std::string attempt = d.figure > 1 ? ", attempt " + count_text(d.figure) : "";
  return name + ": load started" + attempt + ", " + format_bytes(d.bytes) + " of " +
         format_bytes(d.other_bytes) + " reserved: " + because(d.reason, other);
}

std::string load_done_text(const Decision& d, const std::string& name) {
  return name + ": ready after " + span_text(d.figure) + ", holds " + format_bytes(d.bytes) + ", " +
         format_bytes(d.other_bytes) + " had been reserved";
}

std::string load_failed_text(const Decision& d, const std::string& name, const std::string& other) {
  return name + ": load failed, attempt " + count_text(d.figure) +
         (d.other_figure > 0 ? " of " + count_text(d.other_figure) : "") + ": " +
         because(d.reason, other);
}

std::string unload_started_text(const Decision& d, const std::string& name,
                                const std::string& other) {
  std::string text = name + ": unload started, frees " + format_bytes(d.bytes);
  if (std::isfinite(d.figure) && d.figure > 0 && d.figure < 1e9) {
    text += ", unused for " + span_text(std::floor(d.figure) * 1000);
  }
  if (!other.empty() && d.other_bytes > Bytes{}) {
    text += ", " + other + " takes " + format_bytes(d.other_bytes);
  }
  return text + ": " + because(d.reason, other);
}

std::string refused_text(const Decision& d, const std::string& name, const std::string& other) {
  std::string text = name + ": request " + std::to_string(d.request.value) + " refused: ";
  const bool is_about_memory = d.reason == Reason::memory || d.reason == Reason::too_large;
  if (!is_about_memory) return text + because(d.reason, other);
  return text + "it takes " + format_bytes(d.bytes) + " of a budget of " +
         format_bytes(d.other_bytes);
}

}  // namespace

std::string to_text(const Decision& d, const NameOf& name_of_id) {
  const std::string name = d.has_component ? who(d.component, name_of_id) : "hearth";
  const std::string other = d.has_other ? who(d.other, name_of_id) : "";
  switch (d.kind) {
    case DecisionKind::load_started:
      return load_started_text(d, name, other);
    case DecisionKind::load_done:
      return load_done_text(d, name);
    case DecisionKind::load_failed:
      return load_failed_text(d, name, other);
    case DecisionKind::load_cancelled:
      return name + ": load cancelled: " + because(d.reason, other);
    case DecisionKind::unload_started:
      return unload_started_text(d, name, other);
    case DecisionKind::unload_done:
      return name + ": unloaded, " + format_bytes(d.bytes) + " freed: " + because(d.reason, other);
    case DecisionKind::waiting:
      return waiting_text(d, name, other);
    case DecisionKind::refused:
      return refused_text(d, name, other);
    case DecisionKind::granted:
      return name + ": request " + std::to_string(d.request.value) + " granted after " +
             span_text(d.figure) +
             (d.lease ? ", lease " + std::to_string(d.lease.value) : std::string{});
    case DecisionKind::lease_ended:
      return name + ": lease " + std::to_string(d.lease.value) +
             " ended: " + because(d.reason, other);
    case DecisionKind::exited:
      return name + ": exited while it was ready: " + because(d.reason, other);
    case DecisionKind::pressure_changed:
      return "pressure " + level_text(d.figure) + ", was " + level_text(d.other_figure) + ": " +
             format_bytes(d.bytes) + " available" + (d.has_component ? " (" + name + ")" : "");
    case DecisionKind::nothing_evictable:
      return name + ": " + format_bytes(d.bytes) +
             " short, and nothing can be unloaded: " + because(d.reason, other);
    case DecisionKind::over_budget:
      return name + ": " + format_bytes(d.bytes) + " over the budget: " + because(d.reason, other);
    case DecisionKind::estimate_off:
      return name + ": holds " + format_bytes(d.bytes) + ", declared were " +
             format_bytes(d.other_bytes) + ": correct its `memory`";
    case DecisionKind::pinned:
      return name + ": pinned";
    case DecisionKind::unpinned:
      return name + ": unpinned";
    case DecisionKind::configured:
      return name + ": configured, " + count_text(d.figure) + " components";
    case DecisionKind::shutdown:
      return name + ": shutdown, everything is drained and unloaded";
  }
  return name + ": unknown decision";
}

namespace {

// What can be done about it.
std::string mend_of(const action::Reply& reply, const std::string& name, const std::string& other) {
  switch (reply.reason) {
    case Reason::memory:
    case Reason::over_budget:
      return "release a lease, unload or unpin something, or raise the budget";
    case Reason::pool:
      return "unload something of that pool or enlarge it";
    case Reason::device:
      return "unload what uses that device";
    case Reason::conflict:
      return "release the lease or the pin on " + other + ", or wait";
    case Reason::conflicting_set:
      return "ask for one of them";
    case Reason::pressure:
      return "try again when other programs have freed memory";
    case Reason::slots:
    case Reason::queue_full:
      return "try again in a while";
    case Reason::leased:
      return "release the lease or wait until it ends";
    case Reason::pin:
      return "unpin " + other + " first";
    case Reason::core:
      return other == name ? "it is never unloaded" : "unload " + other + " itself first";
    case Reason::timed_out:
      return "the load goes on: ask again, or with a longer timeout_ms";
    case Reason::load_failed:
      return "see `hearth logs " + name + "`";
    case Reason::unknown_component:
      return "`hearth ps` lists all names";
    case Reason::unknown_lease:
      return "it has ended or never was: take a new one";
    case Reason::unknown_command:
      return "it is too old or never was";
    case Reason::too_large:
      return "lower its `memory` if that is wrong, or raise the budget";
    case Reason::shutting_down:
      return "ask again after the restart";
    case Reason::removed:
      return "put it back into the configuration";
    case Reason::need_gone:
    case Reason::lost:
    case Reason::restart:
      return "ask again";
    case Reason::none:
    case Reason::demand:
    case Reason::preload:
    case Reason::eager:
    case Reason::lease:
    case Reason::operator_asked:
    case Reason::default_back:
    case Reason::need:
    case Reason::idle:
    case Reason::expired:
    case Reason::revoked:
    case Reason::released:
    case Reason::unused_preload:
    case Reason::abandoned:
      return "`hearth why " + name + "` tells more";
  }
  return "ask again";
}

// Whether the refusal is about the request as a whole rather than about a component.
bool is_general(Reason reason) {
  return reason == Reason::unknown_lease || reason == Reason::unknown_command ||
         reason == Reason::queue_full || reason == Reason::shutting_down;
}

}  // namespace

std::string refusal_text(const action::Reply& reply, const NameOf& name_of_id) {
  if (reply.is_granted) return "";
  const std::string name = who(reply.component, name_of_id);
  const std::string other = who(reply.other, name_of_id);
  const bool has_other = reply.other != reply.component;
  std::string what = because(reply.reason, has_other ? other : "");
  switch (reply.code) {
    case Errc::conflict:
      if (reply.reason == Reason::conflict) what += ", which is in use";
      if (has_other && reply.reason == Reason::leased) what = other + ", which needs it, is leased";
      if (has_other && reply.reason == Reason::pin) what = other + ", which needs it, is pinned";
      if (has_other && reply.reason == Reason::core) what = other + ", which needs it, is core";
      if (reply.reason == Reason::conflicting_set) {
        what = "it conflicts with " + other + ", and both were asked for together";
      }
      break;
    case Errc::over_budget:
      if (reply.reason == Reason::memory) what = "not enough of the budget is free for it";
      if (reply.reason == Reason::pool) what = "not enough of its pool is free for it";
      if (reply.reason == Reason::device) what = "not enough of a device is free for it";
      break;
    case Errc::timed_out:
      what = "it was not ready in time";
      break;
    case Errc::failed:
      if (has_other && reply.reason == Reason::load_failed) what += ", and " + other + " needs it";
      break;
    case Errc::invalid:
    case Errc::not_found:
    case Errc::cycle:
    case Errc::unavailable:
    case Errc::too_large:
    case Errc::exhausted:
    case Errc::denied:
    case Errc::io:
    case Errc::corrupt:
      break;
  }
  const std::string mend = mend_of(reply, name, other);
  return is_general(reply.reason) ? what + "; " + mend : name + ": " + what + "; " + mend;
}

}  // namespace hearth

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

struct ReasonText {
  Reason reason;
  std::string_view text;
};

// The same words wherever a reason is told. In the order of Reason.
constexpr std::array<ReasonText, limit_of(Reason{})> reason_texts{{
    {Reason::none, "for no stated reason"},
    {Reason::demand, "a command asked for it"},
    {Reason::preload, "it is likely to be asked for"},
    {Reason::core, "it is core: always resident"},
    {Reason::eager, "it is `lazy: false`: loaded at start"},
    {Reason::lease, "an application asked for a lease on it"},
    {Reason::operator_asked, "asked for by hand"},
    {Reason::pin, "it is pinned"},
    {Reason::restart, "it must be started anew"},
    {Reason::default_back, "it is the default, and what displaced it is idle"},
    {Reason::need, "another component needs it"},
    {Reason::memory, "memory is needed"},
    {Reason::pool, "its pool is needed"},
    {Reason::device, "its device is needed"},
    {Reason::conflict, "it conflicts with another component"},
    {Reason::pressure, "the machine is short of memory"},
    {Reason::slots, "as many loads are under way as may be"},
    {Reason::idle, "nobody used it for its idle limit"},
    {Reason::expired, "its time was over"},
    {Reason::leased, "it is leased"},
    {Reason::lost, "it ended by itself"},
    {Reason::revoked, "it was preemptible and its memory is needed"},
    {Reason::released, "it was released"},
    {Reason::unused_preload, "it was loaded ahead and not used"},
    {Reason::timed_out, "it took too long"},
    {Reason::load_failed, "it did not load"},
    {Reason::unknown_component, "there is no such component"},
    {Reason::unknown_lease, "there is no such lease"},
    {Reason::unknown_command, "there is no such command"},
    {Reason::too_large, "it is larger than the whole budget"},
    {Reason::queue_full, "too many requests wait"},
    {Reason::shutting_down, "the daemon is shutting down"},
    {Reason::removed, "it is no longer in the configuration"},
    {Reason::need_gone, "something that it needs is gone"},
    {Reason::over_budget, "more is held than the budget allows"},
    {Reason::abandoned, "nobody waits for it any more"},
    {Reason::conflicting_set, "two that conflict were asked for together"},
    {Reason::outranked, "what it conflicts with is of higher priority"},
    {Reason::pool_too_small, "it is larger than its whole pool"},
    {Reason::device_too_small, "it takes more of a device than there is"},
    {Reason::turn, "its turn is over, and others wait for theirs"},
    {Reason::machine, "other programs hold the memory that the budget has left"},
    {Reason::foretold, "the machine will be short of memory in a moment"},
    {Reason::own_limit, "our own control group is near its limit"},
    {Reason::stall, "programs wait for memory"},
    {Reason::swap, "memory goes to the swap and comes back"},
    {Reason::unable, "it cannot be done here"},
    {Reason::frees_little, "that frees less than a quarter of it"},
    {Reason::battery, "the battery is low"},
    {Reason::mains, "the battery is not low, or not used"},
}};

consteval bool is_in_order() {
  for (std::size_t i = 0; i < reason_texts.size(); ++i) {
    if (reason_texts.at(i).reason != static_cast<Reason>(i)) return false;
  }
  return true;
}
static_assert(is_in_order());

// `other`: the other party's name, or "".
std::string because(Reason reason, const std::string& other) {
  if (!other.empty()) {
    if (reason == Reason::need) return other + " needs it";
    if (reason == Reason::memory) return other + " needs its memory";
    if (reason == Reason::pool) return "its pool is needed by " + other;
    if (reason == Reason::device) return "its device is needed by " + other;
    if (reason == Reason::conflict) return "it conflicts with " + other;
    if (reason == Reason::turn) return "its turn is over, and " + other + " waits for its own";
    if (reason == Reason::outranked) {
      return "it conflicts with " + other + ", which is of higher priority";
    }
    if (reason == Reason::too_large) {
      return other + " needs it, and together they are larger than the whole budget";
    }
    if (reason == Reason::pool_too_small) {
      return other + " needs it, and together they are larger than their pool";
    }
    if (reason == Reason::device_too_small) {
      return other + " needs it, and together they take more of a device than there is";
    }
  }
  return std::string{reason_texts.at(static_cast<std::size_t>(reason)).text};
}

// Said where a figure is a guess, so that nobody looks for the memory that it speaks of.
std::string guess_text(Bytes bytes) {
  return "its memory was never measured, so " + format_bytes(bytes) +
         " is reserved: declare `memory`, or lower `loading.unknown_memory`";
}

// Whether d.bytes is what a component would take, by the budget or a pool.
bool is_about_its_memory(const Decision& d) {
  const bool is_about_ram =
      d.reason == Reason::memory || d.reason == Reason::pool || d.reason == Reason::machine;
  if (d.kind == DecisionKind::waiting) return is_about_ram;
  return d.kind == DecisionKind::refused && (is_about_ram || d.reason == Reason::too_large);
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
  if (reason == Reason::machine) {
    return name + ": waits for memory: it takes " + bytes + ", and " + because(reason, {});
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

std::string pressure_text(const Decision& d, const std::string& name) {
  std::string text = "pressure " + level_text(d.figure) + ", was " + level_text(d.other_figure) +
                     ": " + format_bytes(d.bytes) + " available";
  // Memory alone needs no words: its figure stands there. That it is low needs no reason.
  if (d.reason != Reason::pressure && d.figure > 0) text += ", " + because(d.reason, {});
  return text + (d.has_component ? " (" + name + ")" : "");
}

std::string load_started_text(const Decision& d, const std::string& name, const std::string& other,
                              bool is_guess) {
  const std::string attempt = d.figure > 1 ? ", attempt " + count_text(d.figure) : "";
  return name + ": load started" + attempt + ", " + format_bytes(d.bytes) + " of " +
         format_bytes(d.other_bytes) + " reserved" + (is_guess ? " (never measured)" : "") + ": " +
         because(d.reason, other);
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
  if (other.empty() && d.other_bytes > Bytes{}) {
    text += " of " + format_bytes(d.other_bytes) + " that are short";
  }
  if (std::isfinite(d.figure) && d.figure > 0 && d.figure < 1e9) {
    text += ", unused for " + span_text(std::floor(d.figure) * 1000);
  }
  if (!other.empty() && d.other_bytes > Bytes{}) {
    text += ", " + other + " takes " + format_bytes(d.other_bytes);
  }
  return text + ": " + because(d.reason, other);
}

std::string hibernate_text(const Decision& d, const std::string& name, const std::string& other) {
  if (d.kind == DecisionKind::hibernate_started) {
    return name + ": hibernates, to free some " + format_bytes(d.other_bytes) + " of " +
           format_bytes(d.bytes) + ": " + because(d.reason, other);
  }
  const std::string figures = "after " + span_text(d.figure) + ", " + format_bytes(d.bytes) +
                              " freed, " + format_bytes(d.other_bytes) + " still held";
  if (d.kind == DecisionKind::hibernate_done) return name + ": hibernated " + figures;
  const bool has_figures = d.reason == Reason::frees_little;
  return name + ": does not hibernate: " + because(d.reason, other) +
         (has_figures ? " (" + figures + ")" : "") + "; it is unloaded instead";
}

std::string resume_text(const Decision& d, const std::string& name, const std::string& other) {
  if (d.kind == DecisionKind::resume_started) {
    return name + ": resume started, " + format_bytes(d.bytes) +
           " reserved: " + because(d.reason, other);
  }
  if (d.kind == DecisionKind::resume_done) {
    return name + ": ready again after " + span_text(d.figure) + ", holds " + format_bytes(d.bytes);
  }
  return name + ": did not come back from hibernation, and is loaded anew when it is wanted: " +
         because(d.reason, other);
}

std::string refused_text(const Decision& d, const std::string& name, const std::string& other) {
  std::string text = name + ": request " + std::to_string(d.request.value) + " refused: ";
  const bool is_about_memory = d.reason == Reason::memory || d.reason == Reason::too_large;
  if (!is_about_memory) return text + because(d.reason, other);
  return text + "it takes " + format_bytes(d.bytes) + " of a budget of " +
         format_bytes(d.other_bytes);
}

std::string plain_text(const Decision& d, const NameOf& name_of_id, bool is_guess) {
  const std::string name = d.has_component ? who(d.component, name_of_id) : "hearth";
  const std::string other = d.has_other ? who(d.other, name_of_id) : "";
  switch (d.kind) {
    case DecisionKind::load_started:
      return load_started_text(d, name, other, is_guess);
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
      return pressure_text(d, name);
    case DecisionKind::nothing_evictable:
      return name + ": " + format_bytes(d.bytes) +
             " short, and nothing can be unloaded: " + because(d.reason, other);
    case DecisionKind::over_budget:
      return name + ": " + format_bytes(d.bytes) + " over the budget: " + because(d.reason, other);
    case DecisionKind::estimate_off:
      return name + ": holds " + format_bytes(d.bytes) + " at its peak, declared were " +
             format_bytes(d.other_bytes) + ": correct its `memory`";
    case DecisionKind::pinned:
      return name + ": pinned";
    case DecisionKind::unpinned:
      return name + ": unpinned";
    case DecisionKind::configured:
      return name + ": configured, " + count_text(d.figure) + " components";
    case DecisionKind::shutdown:
      return name + ": shutdown, everything is drained and unloaded";
    case DecisionKind::hibernate_started:
    case DecisionKind::hibernate_done:
    case DecisionKind::hibernate_refused:
      return hibernate_text(d, name, other);
    case DecisionKind::power_changed:
      return name + ": power is " +
             (d.reason == Reason::battery ? "saved, nothing is loaded ahead: "
                                          : "not saved any more: ") +
             because(d.reason, {}) + " (charged to " + count_text(d.figure * 100) + " %)";
    case DecisionKind::resume_started:
    case DecisionKind::resume_done:
    case DecisionKind::resume_failed:
      return resume_text(d, name, other);
  }
  return name + ": unknown decision";
}

}  // namespace

std::string to_text(const Decision& d, const NameOf& name_of_id,
                    const IsUnmeasured& is_unmeasured) {
  const bool is_guess = d.has_component && is_unmeasured && is_unmeasured(d.component);
  std::string text = plain_text(d, name_of_id, is_guess);
  if (is_guess && is_about_its_memory(d)) text += "; " + guess_text(d.bytes);
  return text;
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
    case Reason::outranked:
      return "unload " + other + ", raise the priority of " + name + ", or wait";
    case Reason::pool_too_small:
      return "lower its `memory` if that is wrong, or enlarge the pool";
    case Reason::device_too_small:
      return "lower its `devices` if that is wrong, or correct `memory.devices`";
    case Reason::pressure:
    case Reason::machine:
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
      return "the load goes on: ask again, or with a longer time-out";
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
    default:  // no request is refused for it
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

std::string refusal_text(const action::Reply& reply, const NameOf& name_of_id,
                         std::optional<Bytes> unknown_memory) {
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
      if (reply.reason == Reason::machine) what = "other programs hold the memory for it";
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
  const bool is_about_ram = reply.reason == Reason::memory || reply.reason == Reason::pool ||
                            reply.reason == Reason::too_large;
  const std::string mend =
      unknown_memory && is_about_ram ? guess_text(*unknown_memory) : mend_of(reply, name, other);
  return is_general(reply.reason) ? what + "; " + mend : name + ": " + what + "; " + mend;
}

}  // namespace hearth

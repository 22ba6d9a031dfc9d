#include <array>

#include "core/engine/decision.h"
#include "core/engine/event.h"

namespace hearth {
namespace {

constexpr std::array<std::string_view, limit_of(DecisionKind{})> kinds{
    "load_started",      "load_done",         "load_failed",    "load_cancelled",
    "unload_started",    "unload_done",       "waiting",        "refused",
    "granted",           "lease_ended",       "exited",         "pressure_changed",
    "nothing_evictable", "over_budget",       "estimate_off",   "pinned",
    "unpinned",          "configured",        "shutdown",       "hibernate_started",
    "hibernate_done",    "hibernate_refused", "resume_started", "resume_done",
    "resume_failed",     "power_changed"};

constexpr std::array<std::string_view, limit_of(Reason{})> reasons{"none",
                                                                   "demand",
                                                                   "preload",
                                                                   "core",
                                                                   "eager",
                                                                   "lease",
                                                                   "operator_asked",
                                                                   "pin",
                                                                   "restart",
                                                                   "default_back",
                                                                   "need",
                                                                   "memory",
                                                                   "pool",
                                                                   "device",
                                                                   "conflict",
                                                                   "pressure",
                                                                   "slots",
                                                                   "idle",
                                                                   "expired",
                                                                   "leased",
                                                                   "lost",
                                                                   "revoked",
                                                                   "released",
                                                                   "unused_preload",
                                                                   "timed_out",
                                                                   "load_failed",
                                                                   "unknown_component",
                                                                   "unknown_lease",
                                                                   "unknown_command",
                                                                   "too_large",
                                                                   "queue_full",
                                                                   "shutting_down",
                                                                   "removed",
                                                                   "need_gone",
                                                                   "over_budget",
                                                                   "abandoned",
                                                                   "conflicting_set",
                                                                   "outranked",
                                                                   "pool_too_small",
                                                                   "device_too_small",
                                                                   "turn",
                                                                   "machine",
                                                                   "foretold",
                                                                   "own_limit",
                                                                   "stall",
                                                                   "swap",
                                                                   "unable",
                                                                   "frees_little",
                                                                   "battery",
                                                                   "mains"};

constexpr std::array<std::string_view, std::variant_size_v<Event::What>> events{
    "configured",
    "command",
    "signal",
    "lease_requested",
    "lease_taken",
    "lease_renewed",
    "lease_released",
    "load_requested",
    "unload_requested",
    "pin_requested",
    "use_reported",
    "request_abandoned",
    "load_finished",
    "unload_finished",
    "gate_closed",
    "gate_refused",
    "component_exited",
    "memory_sampled",
    "timer_fired",
    "shutdown_requested",
    "restored",
    "learnt_before",
    "hibernate_finished",
    "power_sampled"};

}  // namespace

std::string_view name_of(DecisionKind kind) { return kinds.at(static_cast<std::size_t>(kind)); }
std::string_view name_of(Reason reason) { return reasons.at(static_cast<std::size_t>(reason)); }
std::string_view name_of(const Event& event) { return events.at(event.what.index()); }

}  // namespace hearth

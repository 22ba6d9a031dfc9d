#include "runtime/measures.h"

#include <algorithm>
#include <optional>

namespace hearth {
namespace {

// The objectives of a wait (100 ms, 500 ms, 2 s by default) are bounds, so that the share within
// them can be read off.
constexpr std::array<Duration, 20> wait_bounds{20us, 50us, 100us, 500us, 1ms,   5ms, 10ms,
                                               25ms, 50ms, 100ms, 250ms, 500ms, 1s,  2s,
                                               5s,   10s,  30s,   60s,   120s,  300s};
constexpr std::array<Duration, 15> load_bounds{5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s,
                                               2s,  5s,   10s,  30s,  60s,   120s,  300s};
constexpr std::array<Duration, 14> step_bounds{500ns, 1us,   2us,   5us, 10us, 20us, 50us,
                                               100us, 200us, 500us, 1ms, 5ms,  20ms, 100ms};
constexpr std::array<Duration, 15> age_bounds{1s,    5s, 10s, 30s, 1min, 2min, 5min,   10min,
                                              30min, 1h, 2h,  6h,  12h,  24h,  7 * 24h};

constexpr Duration of_seconds(double seconds) {
  return Duration{static_cast<std::int64_t>(seconds * 1e9)};
}

// A wait that somebody has for what was asked of the daemon, as the objectives count it.
bool is_wait(Reason reason) { return reason == Reason::demand || reason == Reason::lease; }

}  // namespace

Measures::Measures()
    : warm_waits_{Histogram{wait_bounds}, Histogram{wait_bounds}, Histogram{wait_bounds},
                  Histogram{wait_bounds}},
      cold_waits_{Histogram{wait_bounds}, Histogram{wait_bounds}, Histogram{wait_bounds},
                  Histogram{wait_bounds}},
      queueing_(wait_bounds),
      loads_(load_bounds),
      steps_(step_bounds),
      eviction_ages_{Histogram{age_bounds}, Histogram{age_bounds}, Histogram{age_bounds},
                     Histogram{age_bounds}} {}

void Measures::waited(const Wait& wait) {
  ByPriority& waits = wait.is_cold ? cold_waits_ : warm_waits_;
  waits.at(static_cast<std::size_t>(wait.priority)).record(wait.took);
}

void Measures::refused(Reason reason) {
  refusals_.at(static_cast<std::size_t>(reason)).fetch_add(1, std::memory_order_relaxed);
}

Measures::Life& Measures::life(ComponentId id) {
  if (id.value >= lives_.size()) lives_.resize(id.value + 1);
  return lives_[id.value];
}

void Measures::observe(const Engine& engine, std::span<const Action> actions) {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (const auto* reply = std::get_if<action::Reply>(&actions[i])) {
      if (!reply->is_granted) refused(engine, *reply);
      continue;
    }
    const auto* record = std::get_if<action::Record>(&actions[i]);
    if (record == nullptr) continue;
    if (record->decision.kind != DecisionKind::granted) {
      decided(engine, record->decision);
      continue;
    }
    // Its reply stands just before it, and knows what was cold.
    for (std::size_t k = i; k-- > 0;) {
      const auto* reply = std::get_if<action::Reply>(&actions[k]);
      if (reply == nullptr || reply->request != record->decision.request) continue;
      granted(engine, *reply, record->decision.reason);
      break;
    }
  }
}

void Measures::decided(const Engine& engine, const Decision& decision) {
  if (!decision.has_component || decision.component.value >= engine.component_count()) return;
  const ComponentId id = decision.component;
  switch (decision.kind) {
    case DecisionKind::load_started:
      life(id) = {.load_began = decision.at};
      return;
    case DecisionKind::load_done:
      loads_.record(of_seconds(decision.figure * 1e-3));
      return;
    case DecisionKind::unload_started:
      life(id).age = of_seconds(decision.figure);
      life(id).is_unused_preload = engine.component(id).is_preload;
      return;
    case DecisionKind::unload_done: {
      // Only now: the gate may have been held, and then it has stayed.
      const auto reason = std::ranges::find(eviction_reasons, decision.reason);
      if (reason != eviction_reasons.end()) {
        const auto place = static_cast<std::size_t>(reason - eviction_reasons.begin());
        eviction_ages_.at(place).record(life(id).age);
      }
      if (life(id).is_unused_preload) ++preloads_wasted_;
      life(id).is_unused_preload = false;
      return;
    }
    case DecisionKind::load_failed:
    case DecisionKind::load_cancelled:
    case DecisionKind::exited:
    case DecisionKind::resume_failed:
      ended(engine, id);
      return;
    case DecisionKind::power_changed:
    case DecisionKind::hibernate_started:
    case DecisionKind::hibernate_done:
    case DecisionKind::hibernate_refused:
    case DecisionKind::resume_started:
    case DecisionKind::resume_done:
    case DecisionKind::waiting:
    case DecisionKind::refused:
    case DecisionKind::granted:
    case DecisionKind::lease_ended:
    case DecisionKind::pressure_changed:
    case DecisionKind::nothing_evictable:
    case DecisionKind::over_budget:
    case DecisionKind::estimate_off:
    case DecisionKind::pinned:
    case DecisionKind::unpinned:
    case DecisionKind::configured:
    case DecisionKind::shutdown:
      return;
  }
}

// Without an unload, or before one: of a load that was cancelled too late the unload still follows.
void Measures::ended(const Engine& engine, ComponentId id) {
  const ComponentView component = engine.component(id);
  life(id).is_unused_preload = component.is_preload && component.state == State::unloading;
  if (component.is_preload && component.state != State::unloading) ++preloads_wasted_;
}

Measures::Wait Measures::wait_of(const Engine& engine, const action::Reply& reply) {
  Wait wait{.took = reply.wait};
  for (const action::ReplyComponent& component : reply.components) {
    wait.is_cold = wait.is_cold || component.is_cold;
    if (!component.is_asked || component.component.value >= engine.component_count()) continue;
    wait.priority = std::max(wait.priority, engine.component(component.component).priority);
  }
  return wait;
}

void Measures::granted(const Engine& engine, const action::Reply& reply, Reason reason) {
  if (reply.components.empty()) return;
  const Wait wait = wait_of(engine, reply);
  if (is_wait(reason)) waited(wait);
  if (wait.is_cold) queued(engine, reply, engine.now() - reply.wait);
}

void Measures::refused(const Engine& engine, const action::Reply& reply) {
  refused(reply.reason);
  if (wait_of(engine, reply).is_cold) queued(engine, reply, engine.now() - reply.wait);
}

void Measures::queued(const Engine& engine, const action::Reply& reply, Instant arrived) {
  std::optional<Instant> began;
  bool has_joined = false;
  for (const action::ReplyComponent& component : reply.components) {
    if (!component.is_cold || component.component.value >= engine.component_count()) continue;
    const Instant load_began = life(component.component).load_began;
    if (load_began >= arrived) {
      began = std::min(began.value_or(load_began), load_began);
    } else {
      has_joined = has_joined || component.is_ready ||
                   engine.component(component.component).state == State::loading;
    }
  }
  if (has_joined) {
    queueing_.record(Duration{0});
  } else if (began) {
    queueing_.record(*began - arrived);
  } else if (reply.wait > Duration{0} && reply.reason != Reason::load_failed) {
    queueing_.record(reply.wait);
  }
}

MeasureFigures Measures::figures() const {
  MeasureFigures figures;
  for (std::size_t i = 0; i < warm_waits_.size(); ++i) {
    figures.waits.warm.at(i) = warm_waits_.at(i).figures();
    figures.waits.cold.at(i) = cold_waits_.at(i).figures();
  }
  figures.queueing = queueing_.figures();
  figures.loads = loads_.figures();
  figures.steps = steps_.figures();
  for (std::size_t i = 0; i < eviction_ages_.size(); ++i) {
    figures.eviction_ages.at(i) = eviction_ages_.at(i).figures();
  }
  for (std::size_t i = 0; i < refusals_.size(); ++i) {
    figures.refusals.at(i) = refusals_.at(i).load(std::memory_order_relaxed);
  }
  figures.preloads_wasted = preloads_wasted_.load(std::memory_order_relaxed);
  return figures;
}

}  // namespace hearth

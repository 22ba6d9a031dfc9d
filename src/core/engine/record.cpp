#include "base/limits.h"
#include "core/engine/state.h"

namespace hearth {

// The decision is filled in by the caller; it is sent when the next one begins or the step ends.
Decision& Engine::Impl::record(DecisionKind kind, Reason reason) {
  flush_record();
  if (decisions.size() >= decisions_kept_max) decisions.pop_front();
  Decision& decision = decisions.emplace_back();
  decision.sequence = next_decision++;
  decision.at = now;
  decision.kind = kind;
  decision.reason = reason;
  has_pending_record = true;
  return decision;
}

void Engine::Impl::record_component(DecisionKind kind, Reason reason, ComponentId id) {
  Decision& decision = record(kind, reason);
  decision.component = id;
  decision.has_component = true;
}

void Engine::Impl::flush_record() {
  if (!has_pending_record) return;
  has_pending_record = false;
  emit(action::Record{decisions.back()});
}

}  // namespace hearth

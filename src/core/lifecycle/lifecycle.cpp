#include "core/lifecycle/lifecycle.h"

namespace hearth {

namespace {
constexpr std::array<std::string_view, 10> names{
    "unloaded",  "loading",     "ready",      "closing",  "draining",
    "unloading", "hibernating", "hibernated", "resuming", "failed"};

constexpr bool is_deterministic() {
  for (std::size_t i = 0; i < transitions.size(); ++i) {
    for (std::size_t j = i + 1; j < transitions.size(); ++j) {
      if (transitions[i].from == transitions[j].from &&
          transitions[i].trigger == transitions[j].trigger) {
        return false;
      }
    }
  }
  return true;
}
static_assert(is_deterministic(), "one state and trigger lead to one state");
static_assert(next(State::unloaded, Trigger::load) == State::loading);
static_assert(!next(State::ready, Trigger::unload_done), "a ready component is closed first");
}  // namespace

std::string_view name_of(State state) { return names.at(static_cast<std::size_t>(state)); }

}  // namespace hearth

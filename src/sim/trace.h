// One line for each event and action, for a person who follows a run.
//
// Contract   names components; no newline. Not stable: for reading only.
// Threads    pure.
#pragma once

#include <string>

#include "core/engine/engine.h"

namespace hearth::sim {

[[nodiscard]] std::string to_text(const Event& event, const Engine& engine);
[[nodiscard]] std::string to_text(const Action& action, const Engine& engine);
// A line a component: what the engine says of it.
[[nodiscard]] std::string state_table(const Engine& engine);
// "3h 12m 05.250s"
[[nodiscard]] std::string to_text(Instant at);

}  // namespace hearth::sim

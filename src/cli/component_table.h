// The rows of /v1/components as a table.
//
// Contract   component by component in the daemon's order; `now_unix_ms` is what "ago" counts
//            from.
// Threads    pure.
#pragma once

#include <cstdint>

#include "cli/json.h"
#include "cli/table.h"

namespace hearth {

[[nodiscard]] Table component_table(const OrderedJson& rows, std::int64_t now_unix_ms);
[[nodiscard]] Colour colour_of_state(std::string_view state);

}  // namespace hearth

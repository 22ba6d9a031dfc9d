// /v1/status in a few lines for a person.
//
// Contract   one fact a line, the name of it first; troubles last, so that they are seen.
// Threads    pure.
#pragma once

#include <string>

#include "cli/json.h"

namespace hearth {

[[nodiscard]] std::string status_text(const OrderedJson& status, std::string_view address,
                                      bool has_colour);

}  // namespace hearth

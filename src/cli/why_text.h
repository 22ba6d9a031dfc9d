// Why a component is where it is, in a few sentences.
//
// Contract   from one row of /v1/components and the decisions that name it, oldest first. Says
//            its state, the decision that put it there, and what holds it or would bring it back.
// Threads    pure.
#pragma once

#include <cstdint>
#include <string>

#include "cli/json.h"

namespace hearth {

[[nodiscard]] std::string why_text(const OrderedJson& row, const OrderedJson& decisions,
                                   std::int64_t now_unix_ms);

}  // namespace hearth

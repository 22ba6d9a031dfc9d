// Decisions and refusals in words, for the log, `hearth why`, and problem details.
//
// Contract   one sentence, no newline; names the component, the other party and the figures
//            compared.
// Threads    pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/engine/action.h"
#include "core/engine/decision.h"

namespace hearth {

using NameOf = std::function<std::string(ComponentId)>;

// Whether a component's memory was neither declared nor ever measured, so that
// `loading.unknown_memory` stands for it.
using IsUnmeasured = std::function<bool(ComponentId)>;

[[nodiscard]] std::string to_text(const Decision& decision, const NameOf& name_of,
                                  const IsUnmeasured& is_unmeasured = {});
// Why a request was refused and what can be done: "ocr: conflicts with asr, which is leased until
// 12:03:04; release it or wait". Empty for a granted one.
// `unknown_memory` is what is reserved for the reply's component when it is unmeasured.
[[nodiscard]] std::string refusal_text(const action::Reply& reply, const NameOf& name_of,
                                       std::optional<Bytes> unknown_memory = std::nullopt);

}  // namespace hearth

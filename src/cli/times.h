// Instants of the API, for people.
//
// Contract   unix_ms_of() reads RFC 3339 in UTC ("2026-01-31T12:00:00.000Z"); none when it is not
//            one.
// Threads    pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "runtime/clock.h"

namespace hearth {

[[nodiscard]] std::optional<std::int64_t> unix_ms_of(std::string_view text);
// "12 s ago"; "-" when `text` is not an instant.
[[nodiscard]] std::string ago(std::string_view text, std::int64_t now_unix_ms);
// "12:03:04" in local time.
[[nodiscard]] std::string clock_text(std::string_view text);
// An option's value: "30s", a day at most, as the API has it. `option` names it in the error.
[[nodiscard]] Result<Duration> duration_option(std::string_view text, std::string_view option);

}  // namespace hearth

// The JSON that the daemon answers with, as the commands read it.
//
// Contract   keys keep their order, so that --json prints what the daemon said. The text_of
//            family never throws: what is missing or of another type is the fallback.
// Threads    values.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace hearth {

[[nodiscard]] std::string text_of(const OrderedJson& object, std::string_view key,
                                  std::string_view fallback = "");
[[nodiscard]] double number_of(const OrderedJson& object, std::string_view key,
                               double fallback = 0);
[[nodiscard]] bool flag_of(const OrderedJson& object, std::string_view key);
// The array or object under `key`; an empty array when there is none.
[[nodiscard]] OrderedJson part_of(const OrderedJson& object, std::string_view key);
// Errc::invalid when `text` is not UTF-8; `what` names it in the error.
[[nodiscard]] Result<> check_utf8(std::string_view text, std::string_view what);
// Errc::invalid when it is empty or not UTF-8: no component has such a name.
[[nodiscard]] Result<> check_component_name(std::string_view name);
// "a, b, c" of an array of strings.
[[nodiscard]] std::string joined(const OrderedJson& array, std::string_view separator = ", ");

}  // namespace hearth

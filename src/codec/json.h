// JSON of requests, read strictly: what is not understood is refused and named.
//
// Contract   parse_json_object() takes one object: duplicate keys, deeper nesting than `depth_max`,
//            invalid UTF-8 and anything after the object are errors. RequestFields hands out typed
//            fields; the first error stands until finish() tells it, and finish() also refuses the
//            keys that nobody asked for, with near ones.
// Errors     Errc::invalid with the key, what was expected and what was got:
//            "`timeout_ms`: expected a whole number of milliseconds, got \"soon\"".
// Threads    the functions are pure; RequestFields is thread-compatible.
// Example
//            auto fields = HEARTH_TRY(RequestFields::parse(body));
//            ask.text = fields.required_text("text");
//            ask.patience = fields.milliseconds("timeout_ms").value_or(30s);
//            HEARTH_TRY(fields.finish());
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

inline constexpr std::size_t json_depth_max = 16;

[[nodiscard]] Result<Json> parse_json_object(std::string_view text,
                                             std::size_t depth_max = json_depth_max);

// What another program of ours wrote, of any kind; none when it is not JSON. Compiled once, as the
// library's own parse() costs every file that calls it two seconds.
[[nodiscard]] std::optional<OrderedJson> read_json(std::string_view text);

// Invalid UTF-8 in strings becomes U+FFFD; never throws. indent < 0: one line.
[[nodiscard]] std::string dump_json(const Json& json, int indent = -1);
[[nodiscard]] std::string dump_json(const OrderedJson& json, int indent = -1);

class RequestFields {
 public:
  // An empty body is an empty object.
  [[nodiscard]] static Result<RequestFields> parse(std::string_view body);
  explicit RequestFields(Json object) : object_(std::move(object)) {}

  // None when the key is absent, null or wrong (and then finish() says so).
  std::optional<std::string> text(std::string_view key, std::size_t length_max = 65536);
  std::optional<bool> boolean(std::string_view key);
  // A whole number from `least` to `most`.
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<Duration> milliseconds(std::string_view key, Duration most = 24h);
  std::optional<std::vector<std::string>> texts(std::string_view key, std::size_t count_max = 1024);
  std::optional<std::string> choice(std::string_view key, const std::vector<std::string>& choices);

  // Absent is an error too; the value is empty then.
  std::string required_text(std::string_view key, std::size_t length_max = 65536);
  std::vector<std::string> required_texts(std::string_view key, std::size_t count_max = 1024);

  [[nodiscard]] bool has(std::string_view key) const;
  // For what only the caller can judge; kept when it is the first.
  void refuse(std::string_view key, std::string_view what);
  // The first error, or the first key that nobody asked for.
  Result<> finish();

 private:
  const Json* find(std::string_view key);
  void expected(std::string_view key, std::string_view what, const Json& got);

  Json object_;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace hearth

// The head of an HTTP/1.1 answer.
//
// Contract   parse_response_head() takes the bytes before the empty line. Names come in lower case;
//            values trimmed. framing_of() says how the body of that answer ends.
// Errors     none of either: it is not HTTP, or its length makes no sense (two that differ, a sign,
//            a transfer coding that is not `chunked` alone, a length beside it).
// Threads    pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http_framing.h"

namespace hearth {

inline constexpr std::size_t response_head_bytes_max = 64 * 1024;

struct ResponseHead {
  int status = 0;
  bool is_http_1_1 = false;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;

  // The first of that name; "" when there is none.
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
  // The other side lets the connection go on.
  [[nodiscard]] bool is_kept() const;
};

[[nodiscard]] std::optional<ResponseHead> parse_response_head(std::string_view text);
[[nodiscard]] std::optional<BodyFraming> framing_of(const ResponseHead& head, bool was_head_asked);

// Where the head ends in what has arrived, its empty line included; none: not yet.
[[nodiscard]] std::optional<std::size_t> head_size(std::string_view bytes);

[[nodiscard]] std::string lower_case(std::string_view text);
// One of the comma-separated tokens of a header's value, whatever its case.
[[nodiscard]] bool has_token(std::string_view value, std::string_view lower_case_token);

}  // namespace hearth

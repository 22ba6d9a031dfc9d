// A request and an answer of the API, apart from how they travel.
//
// Contract   the views of an ApiRequest are good until its answer is sent. Header values are
//            trimmed.
// Threads    values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth {

enum class Method : unsigned char { get, head, post, put, del, other };

[[nodiscard]] std::string_view name_of(Method method);

struct ApiRequest {
  Method method = Method::other;
  std::string_view path;   // as sent, still percent-encoded; "" when it is not a path
  std::string_view query;  // after the question mark
  std::string_view body;
  std::string_view host;
  std::string_view origin;
  std::string_view content_type;
  std::string_view accept;
  std::string_view authorization;
  std::string_view x_api_key;
  std::string_view last_event_id;
  std::string_view fetch_site;  // Sec-Fetch-Site: a browser tells whose page asks
  unsigned host_count = 0;
  bool has_origin = false;
  bool is_http_1_1 = true;
  bool is_kept = true;  // the connection may go on after the answer
};

struct ApiResponse {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";
  std::string headers;  // further ones, each with its line end
};

[[nodiscard]] std::string_view reason_phrase(int status);

struct SentAs {
  bool is_kept = true;
  bool is_head = false;     // the length of the body, but not the body
  std::string_view date{};  // as http_date() writes it; none: no such header
};
void append_response(std::string& out, const ApiResponse& response, SentAs as);

// "Sun, 06 Nov 1994 08:49:37 GMT", of seconds since 1970 (RFC 9110, 5.6.7).
[[nodiscard]] std::string http_date(std::int64_t seconds);

// None when an escape is malformed.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);
// The decoded value of `name` in a query; none when it is not there or malformed.
[[nodiscard]] std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace hearth

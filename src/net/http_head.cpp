#include "net/http_head.h"

#include <algorithm>
#include <charconv>

namespace hearth {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool has_token(std::string_view value, std::string_view lower_case_token) {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(','), value.size());
    if (lower_case(trim(value.substr(0, end))) == lower_case_token) return true;
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return false;
}

std::string_view ResponseHead::header(std::string_view lower_case_name) const {
  for (const auto& [key, value] : headers) {
    if (key == lower_case_name) return value;
  }
  return {};
}

bool ResponseHead::is_kept() const {
  const std::string_view connection = header("connection");
  return is_http_1_1 ? !has_token(connection, "close") : has_token(connection, "keep-alive");
}

std::optional<ResponseHead> parse_response_head(std::string_view text) {
  ResponseHead head;
  const std::size_t end = text.find('\n');
  const std::string_view first = trim(text.substr(0, end));
  if (!first.starts_with("HTTP/1.") || first.size() < 12 || first[8] != ' ') return std::nullopt;
  head.is_http_1_1 = first[7] != '0';
  const auto status = number<int>(first.substr(9, 3));
  if (!status || *status < 100) return std::nullopt;
  head.status = *status;
  head.reason = trim(first.substr(12));
  std::string_view rest = end == std::string_view::npos ? "" : text.substr(end + 1);
  while (!rest.empty()) {
    const std::size_t line_end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, line_end));
    rest.remove_prefix(std::min(line_end + 1, rest.size()));
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    // What is passed on must not read as two lines.
    const bool is_plain = line.find_first_of(std::string_view{"\r\0", 2}) == std::string_view::npos;
    if (colon == std::string_view::npos || colon == 0 || !is_plain) return std::nullopt;
    head.headers.emplace_back(lower_case(trim(line.substr(0, colon))),
                              trim(line.substr(colon + 1)));
  }
  return head;
}

std::optional<BodyFraming> framing_of(const ResponseHead& head, bool was_head_asked) {
  const bool has_no_body =
      was_head_asked || head.status < 200 || head.status == 204 || head.status == 304;
  if (has_no_body) return BodyFraming{};
  BodyFraming framing{.kind = BodyFraming::Kind::until_end};
  bool is_chunked = false;
  std::optional<std::uint64_t> length;
  for (const auto& [name, value] : head.headers) {
    if (name == "transfer-encoding") {
      if (is_chunked || lower_case(value) != "chunked") return std::nullopt;
      is_chunked = true;
    } else if (name == "content-length") {
      const auto said = number<std::uint64_t>(value);
      if (!said || (length && *length != *said)) return std::nullopt;
      length = said;
    }
  }
  if (is_chunked && length) return std::nullopt;
  if (is_chunked) framing.kind = BodyFraming::Kind::chunked;
  if (length) framing = {.kind = BodyFraming::Kind::length, .length = *length};
  return framing;
}

std::optional<std::size_t> head_size(std::string_view bytes) {
  const std::size_t strict = bytes.find("\r\n\r\n");
  const std::size_t lenient = bytes.substr(0, strict).find("\n\n");
  if (lenient != std::string_view::npos) return lenient + 2;
  if (strict != std::string_view::npos) return strict + 4;
  return std::nullopt;
}

}  // namespace hearth

#include "api/relay_head.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/http.h"

namespace hearth {
namespace {

// Of one connection, or said anew by whoever passes the message on.
constexpr std::array<std::string_view, 11> hop_names{"connection",
                                                     "keep-alive",
                                                     "proxy-connection",
                                                     "proxy-authenticate",
                                                     "proxy-authorization",
                                                     "te",
                                                     "trailer",
                                                     "transfer-encoding",
                                                     "upgrade",
                                                     "content-length",
                                                     "expect"};

bool is_hop(std::string_view lower_name) {
  return std::ranges::find(hop_names, lower_name) != hop_names.end();
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

bool carries_key(std::string_view lower_name, std::string_view value, std::string_view own_key) {
  if (own_key.empty()) return false;
  if (lower_name == "x-api-key") return value == own_key;
  return lower_name == "authorization" && value.size() > own_key.size() && value.ends_with(own_key);
}

void append_framing(std::string& out, BodyFraming framing) {
  if (framing.kind == BodyFraming::Kind::length) {
    append_field(out, "Content-Length", std::to_string(framing.length));
  } else if (framing.kind == BodyFraming::Kind::chunked) {
    append_field(out, "Transfer-Encoding", "chunked");
  }
}

}  // namespace

bool asks_for_upgrade(const HeaderList& headers) {
  bool is_named = false;
  bool has_protocol = false;
  for (const auto& [name, value] : headers) {
    const std::string lower = lower_case(name);
    if (lower == "connection") is_named = is_named || has_token(value, "upgrade");
    if (lower == "upgrade") has_protocol = true;
  }
  return is_named && has_protocol;
}

std::string passing_fields(const HeaderList& headers, std::string_view own_key, bool is_upgrade) {
  std::string connection;
  for (const auto& [name, value] : headers) {
    if (lower_case(name) == "connection") connection += std::string(value) + ",";
  }
  std::string out;
  for (const auto& [name, value] : headers) {
    const std::string lower = lower_case(name);
    const bool is_protocol = is_upgrade && lower == "upgrade";
    if (is_protocol) {
      append_field(out, name, value);
    } else if (lower != "host" && !is_hop(lower) && !has_token(connection, lower) &&
               !lower.starts_with("x-hearth-") && !carries_key(lower, value, own_key)) {
      append_field(out, name, value);
    }
  }
  if (is_upgrade) append_field(out, "Connection", "Upgrade");
  return out;
}

std::string request_head(const RelayRequest& request, const HttpAddress& component) {
  std::string out;
  out.reserve(128 + request.target.size() + request.fields.size());
  out += request.method;
  out += ' ';
  out += component.base_path;
  out += request.target;
  out += " HTTP/1.1\r\nHost: ";
  if (component.socket_path.empty()) {
    const bool is_v6 = component.host.find(':') != std::string::npos;
    out += is_v6 ? "[" + component.host + "]" : component.host;
    if (component.port != 80) out += ":" + std::to_string(component.port);
  } else {
    out += "localhost";
  }
  out += "\r\n";
  out += request.fields;
  append_framing(out, request.framing);
  out += "\r\n";
  return out;
}

std::string response_head(const ResponseHead& head, const ResponseAs& as) {
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + " ";
  out += head.reason.empty() ? reason_phrase(head.status) : std::string_view{head.reason};
  out += "\r\n";
  const std::string_view connection = head.header("connection");
  const bool is_upgrade = head.status == 101;
  for (const auto& [name, value] : head.headers) {
    const bool is_own = name.starts_with("x-hearth-");
    // The answer to HEAD has a length without a body.
    const bool is_length = as.framing.kind == BodyFraming::Kind::none && name == "content-length";
    const bool is_protocol = is_upgrade && name == "upgrade";
    if (is_own || (is_hop(name) && !is_length && !is_protocol)) continue;
    if (!is_protocol && has_token(connection, name)) continue;
    append_field(out, name, value);
  }
  out += as.own_fields;
  if (is_upgrade) {
    append_field(out, "Connection", "Upgrade");
  } else {
    const bool is_rechunked = as.pass == BodyPass::chunks;
    if (as.pass != BodyPass::payload) {
      append_framing(out,
                     is_rechunked ? BodyFraming{.kind = BodyFraming::Kind::chunked} : as.framing);
    }
    if (!as.is_kept) append_field(out, "Connection", "close");
  }
  out += "\r\n";
  return out;
}

void append_chunk(std::string& out, std::string_view payload) {
  if (payload.empty()) return;
  std::array<char, 20> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), payload.size(), 16).ptr;
  out.append(digits.data(), end);
  out += "\r\n";
  out += payload;
  out += "\r\n";
}

}  // namespace hearth

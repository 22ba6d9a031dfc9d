#include "codec/member_scan.h"

#include <algorithm>

#include "codec/json.h"

namespace hearth {
namespace {

constexpr std::size_t depth_max = 4096;
constexpr std::size_t header_bytes_max = 8192;  // of one part

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::string> json_string(const std::string& raw) {
  if (!raw.starts_with('"')) return std::nullopt;
  const auto parsed = read_json(raw);
  if (!parsed || !parsed->is_string()) return std::nullopt;
  return parsed->get<std::string>();
}

// The value of `name` among the parameters of a header: form-data; name="model".
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::size_t at = header.find(';');
  while (at != std::string_view::npos) {
    std::string_view rest = trimmed(header.substr(at + 1));
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool is_it = lowered(trimmed(rest.substr(0, equals))) == name;
    rest = trimmed(rest.substr(equals + 1));
    std::string value;
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
        if (rest[end] == '\\' && end + 1 < rest.size()) ++end;
        value += rest[end];
      }
      if (end >= rest.size()) return std::nullopt;
      ++end;
    } else {
      end = std::min(rest.find(';'), rest.size());
      value = trimmed(rest.substr(0, end));
    }
    if (is_it) return value;
    header = rest.substr(end);
    at = header.find(';');
  }
  return std::nullopt;
}

}  // namespace

JsonMembers::JsonMembers(std::vector<std::string> names)
    : names_(std::move(names)), values_(names_.size()) {}

std::optional<std::string> JsonMembers::text(std::size_t index) const {
  return values_[index] ? json_string(*values_[index]) : std::nullopt;
}

void JsonMembers::refuse(std::string_view what) {
  state_ = State::bad;
  what_ = what;
}

void JsonMembers::feed(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size() && !is_done() && !is_bad();) {
    const bool is_skipping =
        state_ == State::nested_string || (state_ == State::string_value && !wanted_);
    if (is_skipping && !is_escaped_) at = skip_string(bytes, at);
    if (at < bytes.size()) step(bytes[at++]);
  }
}

// To the next byte of a string that means something.
std::size_t JsonMembers::skip_string(std::string_view bytes, std::size_t at) {
  const auto* const found = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                         bytes.end(), [](char c) { return c == '"' || c == '\\'; });
  return static_cast<std::size_t>(found - bytes.begin());
}

void JsonMembers::keep(char c) {
  if (!wanted_) return;
  if (value_.size() >= value_bytes_max) return refuse("a member is too long");
  value_ += c;
}

void JsonMembers::begin_value(char c) {
  if (is_blank(c)) return;
  value_.clear();
  const bool is_plain = key_.find('\\') == std::string::npos;
  const std::string name = is_plain ? key_ : json_string('"' + key_ + '"').value_or("");
  const auto found = std::ranges::find(names_, name);
  wanted_.reset();
  if (found != names_.end()) wanted_ = static_cast<std::size_t>(found - names_.begin());
  keep(c);
  if (c == '"') {
    state_ = State::string_value;
  } else if (c == '{' || c == '[') {
    depth_ = 1;
    state_ = State::nested;
  } else if (c == '}' || c == ']' || c == ',' || c == ':') {
    refuse("a member has no value");
  } else {
    state_ = State::scalar;
  }
}

void JsonMembers::end_value() {
  if (wanted_) values_[*wanted_] = value_;
  wanted_.reset();
  state_ = State::after_value;
}

void JsonMembers::step(char c) {
  switch (state_) {
    case State::start:
      if (is_blank(c)) return;
      if (c != '{') return refuse("the body is not a JSON object");
      state_ = State::key_or_end;
      return;
    case State::key_or_end:
      if (c == '}') {
        state_ = State::done;
        return;
      }
      [[fallthrough]];
    case State::key_begin:
      if (is_blank(c)) return;
      if (c != '"') return refuse("a member of the JSON object has no name");
      key_.clear();
      state_ = State::key;
      return;
    case State::key:
      if (!is_escaped_ && c == '"') {
        state_ = State::colon;
        return;
      }
      is_escaped_ = !is_escaped_ && c == '\\';
      // A longer name is none of ours.
      if (key_.size() < 256) key_ += c;
      return;
    case State::colon:
      if (is_blank(c)) return;
      if (c != ':') return refuse("a member's name is not followed by a colon");
      state_ = State::value_begin;
      return;
    case State::value_begin:
      return begin_value(c);
    case State::scalar:
      if (!is_blank(c) && c != ',' && c != '}') return keep(c);
      end_value();
      return step(c);
    case State::string_value:
      keep(c);
      if (is_bad()) return;
      if (!is_escaped_ && c == '"') return end_value();
      is_escaped_ = !is_escaped_ && c == '\\';
      return;
    case State::nested:
      if (c == '"') state_ = State::nested_string;
      if (c == '{' || c == '[') ++depth_;
      if (depth_ > depth_max) return refuse("the JSON is nested too deeply");
      if ((c == '}' || c == ']') && --depth_ == 0) end_value();
      return;
    case State::nested_string:
      if (!is_escaped_ && c == '"') state_ = State::nested;
      is_escaped_ = !is_escaped_ && c == '\\';
      return;
    case State::after_value:
      if (is_blank(c)) return;
      if (c == ',') {
        state_ = State::key_begin;
      } else if (c == '}') {
        state_ = State::done;
      } else {
        refuse("two members of the JSON object have no comma between them");
      }
      return;
    case State::done:
    case State::bad:
      return;
  }
}

std::optional<std::string> MultipartFields::boundary_of(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  if (lowered(type) != "multipart/form-data") return std::nullopt;
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) return std::nullopt;
  return boundary;
}

// The first delimiter may stand at the very beginning: as if a line had ended before it.
MultipartFields::MultipartFields(std::string_view boundary, std::vector<std::string> names)
    : delimiter_("\r\n--" + std::string(boundary)),
      names_(std::move(names)),
      values_(names_.size()),
      carry_("\r\n") {}

void MultipartFields::refuse(std::string_view what) {
  state_ = State::bad;
  what_ = what;
}

void MultipartFields::feed(std::string_view bytes) {
  if (is_done() || is_bad()) return;
  carry_ += bytes;
  while (go_on()) {
  }
}

bool MultipartFields::go_on() {
  switch (state_) {
    case State::data:
      return take_data();
    case State::after_delimiter: {
      if (carry_.size() < 2) return false;
      if (carry_.starts_with("--")) {
        state_ = State::done;
        return false;
      }
      // Blanks may stand behind the boundary (RFC 2046, 5.1.1).
      const std::size_t end = carry_.find_first_not_of(" \t");
      if (end == std::string::npos || carry_.size() - end < 2) {
        if (carry_.size() > header_bytes_max) refuse("a multipart delimiter has no end");
        return false;
      }
      if (carry_.compare(end, 2, "\r\n") != 0) {
        refuse("a multipart delimiter is followed by something else");
        return false;
      }
      // The line end stays: the header may be empty.
      carry_.erase(0, end);
      state_ = State::header;
      return true;
    }
    case State::header:
      return take_header();
    case State::done:
    case State::bad:
      return false;
  }
  return false;
}

bool MultipartFields::take_data() {
  const std::size_t found = carry_.find(delimiter_);
  // What could be the beginning of a delimiter waits for the rest.
  const std::size_t size = found != std::string::npos ? found
                           : carry_.size() < delimiter_.size()
                               ? 0
                               : carry_.size() - delimiter_.size() + 1;
  if (wanted_) {
    if (value_.size() + size > value_bytes_max) {
      refuse("a form field is too long");
      return false;
    }
    value_.append(carry_, 0, size);
  }
  carry_.erase(0, size);
  if (found == std::string::npos) return false;
  carry_.erase(0, delimiter_.size());
  end_part();
  state_ = State::after_delimiter;
  return true;
}

void MultipartFields::end_part() {
  if (wanted_) values_[*wanted_] = value_;
  wanted_.reset();
  value_.clear();
  is_preamble_ = false;
}

bool MultipartFields::take_header() {
  const std::size_t end = carry_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (carry_.size() > header_bytes_max) refuse("the header of a form field has no end");
    return false;
  }
  std::string_view rest = std::string_view{carry_}.substr(0, end);
  while (!rest.empty()) {
    const std::size_t line_end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(std::min(line_end + 2, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (lowered(trimmed(line.substr(0, colon))) != "content-disposition") continue;
    const auto name = parameter(line.substr(colon + 1), "name");
    const auto found = name ? std::ranges::find(names_, *name) : names_.end();
    if (found != names_.end()) wanted_ = static_cast<std::size_t>(found - names_.begin());
  }
  carry_.erase(0, end + 4);
  state_ = State::data;
  return true;
}

}  // namespace hearth

// JSON written straight into a string, for answers that must be fast.
//
// Contract   commas are its own business; the caller opens and closes what it means to. Strings are
//            escaped, invalid UTF-8 becomes U+FFFD, so the text is valid JSON whatever the input
//            is. A double that is not finite becomes 0.
// Units      milliseconds are written with at most three decimals; instants as RFC 3339 in UTC.
// Threads    thread-compatible.
// Example    JsonWriter w; w.open().field("name", "ocr").field("leases", 2).close(); w.take();
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.h"

namespace hearth {

class JsonWriter {
 public:
  JsonWriter& open() { return begin('{'); }
  JsonWriter& close() { return end('}'); }
  JsonWriter& open_list() { return begin('['); }
  JsonWriter& close_list() { return end(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& text(std::string_view value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& number(double value);
  JsonWriter& milliseconds(Duration span);
  JsonWriter& instant(std::int64_t unix_ms);
  template <std::integral T>
  JsonWriter& whole(T value) {
    if constexpr (std::signed_integral<T>)
      return signed_whole(value);
    else
      return unsigned_whole(value);
  }

  template <class T>
  JsonWriter& field(std::string_view name, const T& value) {
    key(name);
    if constexpr (std::same_as<T, bool>)
      return boolean(value);
    else if constexpr (std::integral<T>)
      return whole(value);
    else if constexpr (std::floating_point<T>)
      return number(value);
    else if constexpr (std::same_as<T, Bytes>)
      return whole(value.count);
    else if constexpr (std::convertible_to<T, Duration>)
      return milliseconds(value);
    else
      return text(value);
  }
  // "" is null.
  JsonWriter& text_or_null(std::string_view name, std::string_view value);
  template <class List>
  JsonWriter& texts(std::string_view name, const List& values) {
    key(name).open_list();
    for (const auto& value : values) text(value);
    return close_list();
  }
  // An id of one letter and a number ("c1"), null when it is none.
  JsonWriter& id(std::string_view name, char letter, std::uint64_t value);

  [[nodiscard]] const std::string& view() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }
  void reserve(std::size_t size) { out_.reserve(size); }

 private:
  JsonWriter& begin(char bracket);
  JsonWriter& end(char bracket);
  JsonWriter& signed_whole(std::int64_t value);
  JsonWriter& unsigned_whole(std::uint64_t value);
  void separate();

  std::string out_;
  bool needs_comma_ = false;
};

// Appends `text` in quotes.
void append_json_text(std::string& out, std::string_view text);
// "2026-01-31T12:00:00.000Z"
void append_instant(std::string& out, std::int64_t unix_ms);

}  // namespace hearth

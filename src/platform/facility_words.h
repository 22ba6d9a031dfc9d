// Words that the judges of facilities share.
//
// Contract   size_text() is a size for people, "7.8 GiB"; plural() is "1 error", "2 errors".
//            shell_word() is the text as one word of a shell, quoted where it has to be.
// Threads    pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/units.h"

namespace hearth {

inline std::string size_text(Bytes bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::uint64_t whole = bytes.count;
  std::uint64_t rest = 0;
  while (whole >= 1024 && unit + 1 < units.size()) {
    rest = whole % 1024;
    whole /= 1024;
    ++unit;
  }
  std::string text = std::to_string(whole);
  if (whole < 100 && unit > 0) text += "." + std::to_string(rest * 10 / 1024);
  return text + " " + std::string{units.at(unit)};
}

inline std::string shell_word(std::string_view text) {
  const auto is_plain = [](char c) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') ||
           std::string_view{"_./:@%+=,-"}.find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string{text};
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + "'";
}

inline std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace hearth

// Texts of /proc and /sys, line by line.
//
// Contract   each_line() hands over every line without its end. cut_word() takes the first word
//            (blanks and tabs part them) off a line, empty when there is none. whole_number() is
//            the number that begins a text, however it goes on. trimmed() has no blanks, tabs or
//            line ends around. number_for() is the number of the line whose first word is `key`,
//            with a colon behind it or not.
// Threads    pure.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hearth {

template <class Use>
void each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  const std::size_t last = text.find_last_not_of(blanks);
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

inline std::string_view cut_word(std::string_view& line) {
  line = trimmed(line);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

inline std::optional<std::uint64_t> whole_number(std::string_view text) {
  text = trimmed(text);
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

inline std::optional<std::uint64_t> number_for(std::string_view text, std::string_view key) {
  std::optional<std::uint64_t> found;
  each_line(text, [&](std::string_view line) {
    std::string_view word = cut_word(line);
    if (word.ends_with(':')) word.remove_suffix(1);
    if (!found && word == key) found = whole_number(line);
  });
  return found;
}

}  // namespace hearth

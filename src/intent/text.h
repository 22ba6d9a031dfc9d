// Text as words: the one form in which commands, keywords and names are compared.
//
// Contract   the normal form is words, each between single spaces, one space before the first and
//            after the last; no words: one space. Case and compatibility forms are folded (Unicode
//            NFKC_Casefold), the four letters i of Turkish are one, and everything that is neither
//            letter, mark nor digit separates words. Where a script is written without spaces each
//            letter is a word (Han, Hiragana, Thai, ...), as is each emoji; a run of Katakana is
//            one. Text beyond text_bytes_max is not read. normalise(normalise(x)) == normalise(x).
// Errors     none: bytes that are not UTF-8 separate words.
// Threads    pure.
// Cost       linear. Text in ASCII takes neither memory nor ICU.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"

namespace hearth {

[[nodiscard]] std::string normalise(std::string_view text);

// The words of a normal form, in order.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view normalised);

// Each word of the text as 8 hexadecimal digits, space-separated: what a history without texts
// keeps.
[[nodiscard]] std::string hashed_words(std::string_view text);

namespace detail {

// Lower-case letters and digits; 0 for what separates.
inline constexpr std::array<char, 128> ascii_folded = [] {
  std::array<char, 128> table{};
  for (char c = 'a'; c <= 'z'; ++c) {
    table[static_cast<unsigned char>(c)] = c;
    table[static_cast<unsigned char>(c - 'a' + 'A')] = c;
  }
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = c;
  return table;
}();

[[nodiscard]] std::string normalise_unicode(std::string_view text);

}  // namespace detail

// Calls sink(char) for each byte of normalise(text).
template <class Sink>
void feed_normalised(std::string_view text, Sink sink) {
  text = text.substr(0, text_bytes_max);
  const bool is_ascii = std::all_of(text.begin(), text.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 128; });
  if (!is_ascii) {
    for (const char c : detail::normalise_unicode(text)) sink(c);
    return;
  }
  sink(' ');
  bool is_after_space = true;
  for (const char c : text) {
    const char folded = detail::ascii_folded[static_cast<unsigned char>(c)];
    if (folded != 0) {
      sink(folded);
      is_after_space = false;
    } else if (!is_after_space) {
      sink(' ');
      is_after_space = true;
    }
  }
  if (!is_after_space) sink(' ');
}

}  // namespace hearth

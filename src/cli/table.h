// A table that a person can read.
//
// Contract   columns are as wide as their widest cell, two blanks apart, no blanks at the end of
//            a line. With a width, the last left-aligned column is cut to fit, ending in "...".
//            Colour is added only when asked for and never counts as width. Control characters
//            are shown as "?".
// Threads    values.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

enum class Colour : unsigned char { plain, bold, dim, red, green, yellow, blue };

// `text` with the codes of `colour` around it, when `is_on`.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour, bool is_on);

struct Cell {
  std::string text;
  Colour colour = Colour::plain;

  Cell(std::string words, Colour tint = Colour::plain) : text{std::move(words)}, colour{tint} {}
  Cell(const char* words) : text{words} {}
};

struct Column {
  std::string title;
  bool is_right = false;  // numbers
};

struct TableStyle {
  bool has_colour = false;
  std::size_t width = 0;  // 0: as wide as it is
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_{std::move(columns)} {}
  // As many cells as there are columns.
  void add(std::vector<Cell> row);
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  [[nodiscard]] std::string render(TableStyle style = {}) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Columns that a terminal needs for UTF-8 text, one a code point.
[[nodiscard]] std::size_t width_of(std::string_view text);
// No control characters, invalid bytes as "?".
[[nodiscard]] std::string printable(std::string_view text);

// Figures for people: "0 B", "640 kB"... sizes in powers of two: "12.3 MiB".
[[nodiscard]] std::string human_bytes(double bytes);
// "8 ms", "1.25 s", "3 m 20 s", "2 h 5 m".
[[nodiscard]] std::string human_span(double milliseconds);
[[nodiscard]] std::string human_share(double share);  // "38.2 %"
[[nodiscard]] std::string human_number(double value, int decimals);

}  // namespace hearth

#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/assert.h"

namespace hearth {
namespace {

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::plain:
      return "";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::blue:
      return "\x1b[34m";
  }
  return "";
}

constexpr std::size_t gap = 2;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// The first `columns` code points of `text`.
std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_continuation(text[i])) continue;
    if (seen == columns) return text.substr(0, i);
    ++seen;
  }
  return text;
}

std::string fitted(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  if (width <= 3) return std::string{cut(text, width)};
  return std::string{cut(text, width - 3)} + "...";
}

// How many bytes the UTF-8 sequence at `at` has; 0 when it is not one.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[at + i])) return 0;
  }
  return length;
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, bool is_on) {
  if (!is_on || colour == Colour::plain) return std::string{text};
  return std::string{code_of(colour)} + std::string{text} + "\x1b[0m";
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !is_continuation(byte); }));
}

std::string printable(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const auto lead = static_cast<unsigned char>(text[i]);
    // C1 controls are U+0080 to U+009F, two bytes that begin with C2.
    const bool is_c1 =
        length == 2 && lead == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (length == 0 || is_c1 || (length == 1 && (lead < 0x20 || lead == 0x7F))) {
      clean += '?';
      i += std::max<std::size_t>(length, 1);
    } else {
      clean += text.substr(i, length);
      i += length;
    }
  }
  return clean;
}

void Table::add(std::vector<Cell> row) {
  HEARTH_ASSERT(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

std::string Table::render(TableStyle style) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = width_of(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, width_of(row[c].text));
    widths.push_back(width);
  }
  std::size_t total = gap * (columns_.size() - 1);
  for (const std::size_t width : widths) total += width;
  if (style.width > 0 && total > style.width && !columns_.back().is_right) {
    const std::size_t excess = total - style.width;
    widths.back() = widths.back() > excess + 8 ? widths.back() - excess : 8;
  }

  std::string text;
  const auto line = [&](const auto& cell_at) {
    std::string built;
    std::size_t owed = 0;  // blanks that are written only when something follows
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Cell cell = cell_at(c);
      const std::string shown = fitted(cell.text, widths[c]);
      const std::size_t padding = widths[c] - std::min(widths[c], width_of(shown));
      if (columns_[c].is_right) owed += padding;
      if (!shown.empty()) {
        built += std::string(owed, ' ') + coloured(shown, cell.colour, style.has_colour);
        owed = 0;
      }
      owed += gap + (columns_[c].is_right ? 0 : padding);
    }
    text += built + "\n";
  };
  line([&](std::size_t c) { return Cell{columns_[c].title, Colour::bold}; });
  for (const auto& row : rows_) {
    line([&](std::size_t c) { return row[c]; });
  }
  return text;
}

std::string human_number(double value, int decimals) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

std::string human_bytes(double bytes) {
  static constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (unit + 1 < units.size() && bytes >= 1023.5) {
    bytes /= 1024;
    ++unit;
  }
  const int decimals = unit == 0 || bytes >= 99.95 ? 0 : 1;
  return human_number(bytes, decimals) + " " + units.at(unit);
}

std::string human_span(double milliseconds) {
  if (milliseconds < 0) return "-";
  if (milliseconds < 9.95) return human_number(milliseconds, 1) + " ms";
  if (milliseconds < 999.5) return human_number(milliseconds, 0) + " ms";
  const double total = milliseconds / 1000;
  if (total < 9.995) return human_number(total, 2) + " s";
  if (total < 59.95) return human_number(total, 1) + " s";
  const auto whole = static_cast<long long>(std::llround(total));
  const long long days = whole / 86400;
  const long long hours = whole / 3600 % 24;
  const long long minutes = whole / 60 % 60;
  if (days > 0) return std::to_string(days) + " d " + std::to_string(hours) + " h";
  if (hours > 0) return std::to_string(hours) + " h " + std::to_string(minutes) + " m";
  return std::to_string(minutes) + " m " + std::to_string(whole % 60) + " s";
}

std::string human_share(double share) { return human_number(share * 100, 1) + " %"; }

}  // namespace hearth

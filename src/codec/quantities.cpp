// Sizes and durations, to and from text.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "codec/config.h"

namespace hearth {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> binary_units{
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};
constexpr std::array<Unit, 4> decimal_units{
    {{"TB", 1'000'000'000'000}, {"GB", 1'000'000'000}, {"MB", 1'000'000}, {"KB", 1'000}}};
constexpr std::array<Unit, 7> time_units{{{"d", 86'400'000'000'000},
                                          {"h", 3'600'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"s", 1'000'000'000},
                                          {"ms", 1'000'000},
                                          {"us", 1'000},
                                          {"ns", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// A decimal number at the front of a text, not yet multiplied by its unit.
struct Decimal {
  std::string_view whole;
  std::string_view fraction;
};

std::optional<Decimal> take_decimal(std::string_view& text) {
  const auto digits = [&text] {
    const auto end = std::ranges::find_if_not(text, is_digit);
    const auto length = static_cast<std::size_t>(end - text.begin());
    const std::string_view found = text.substr(0, length);
    text.remove_prefix(length);
    return found;
  };
  Decimal number{digits(), {}};
  if (number.whole.empty()) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.fraction = digits();
    if (number.fraction.empty() || number.fraction.size() > 18) return std::nullopt;
  }
  return number;
}

// number x factor, rounded down; none above `most`. Exact when the result is whole.
std::optional<std::uint64_t> multiply(Decimal number, std::uint64_t factor, std::uint64_t most) {
  std::uint64_t whole = 0;
  for (const char c : number.whole) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (whole > (most / factor - digit) / 10 || digit > most / factor) return std::nullopt;
    whole = whole * 10 + digit;
  }
  std::uint64_t part = 0;
  for (std::size_t i = number.fraction.size(); i-- > 0;) {
    part = (part + static_cast<std::uint64_t>(number.fraction[i] - '0') * factor) / 10;
  }
  if (part > most - whole * factor) return std::nullopt;
  return whole * factor + part;
}

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

std::optional<std::uint64_t> size_factor(std::string_view unit) {
  if (unit.empty()) return 1;
  for (const Unit& known : binary_units) {
    if (equal_ignoring_case(unit, known.name)) return known.factor;
  }
  for (const Unit& known : decimal_units) {
    if (equal_ignoring_case(unit, known.name)) return known.factor;
  }
  return std::nullopt;
}

// "12.5" of 1250 hundredths: no zeros at the end.
std::string hundredths(std::uint64_t value) {
  std::string text = std::to_string(value / 100);
  const std::uint64_t rest = value % 100;
  if (rest == 0) return text;
  text += '.';
  text += static_cast<char>('0' + rest / 10);
  if (rest % 10 != 0) text += static_cast<char>('0' + rest % 10);
  return text;
}

// At most two decimals that say exactly this value, in the largest unit for which that is so.
template <std::size_t n>
std::optional<std::string> exactly(std::uint64_t value, const std::array<Unit, n>& units) {
  for (const Unit& unit : units) {
    if (value < unit.factor) continue;
    const std::uint64_t whole = value / unit.factor;
    const std::uint64_t rest = value % unit.factor;
    if (whole > 9'999'999 || rest > std::numeric_limits<std::uint64_t>::max() / 100) continue;
    if (rest * 100 % unit.factor != 0) return std::nullopt;
    return hundredths(whole * 100 + rest * 100 / unit.factor) + std::string{unit.name};
  }
  return std::nullopt;
}

std::string three_digits(double value) {
  std::array<char, 32> buffer{};
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return buffer.data();
}

}  // namespace

std::optional<Bytes> parse_bytes(std::string_view text) {
  skip_spaces(text);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (equal_ignoring_case(text, "unlimited")) return Bytes::unlimited();
  const std::optional<Decimal> number = take_decimal(text);
  if (!number) return std::nullopt;
  skip_spaces(text);
  const std::optional<std::uint64_t> factor = size_factor(text);
  if (!factor) return std::nullopt;
  const auto count = multiply(*number, *factor, Bytes::unlimited().count);
  if (!count) return std::nullopt;
  return Bytes{*count};
}

std::string format_bytes(Bytes bytes) {
  if (bytes >= Bytes::unlimited()) return "unlimited";
  if (bytes.count < 1000) return std::to_string(bytes.count) + "B";
  if (const auto text = exactly(bytes.count, binary_units)) return *text;
  if (const auto text = exactly(bytes.count, decimal_units)) return *text;
  for (const Unit& unit : binary_units) {
    if (bytes.count < unit.factor) continue;
    const double value = static_cast<double>(bytes.count) / static_cast<double>(unit.factor);
    return three_digits(value) + std::string{unit.name};
  }
  return std::to_string(bytes.count) + "B";
}

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (text == "0") return Duration{0};
  std::uint64_t total = 0;
  std::uint64_t factor_before = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::optional<Decimal> number = take_decimal(text);
    if (!number) return std::nullopt;
    skip_spaces(text);
    const auto end = std::ranges::find_if(text, is_digit);
    const std::string_view unit = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(unit.size());
    const auto known = std::ranges::find(time_units, unit, &Unit::name);
    if (known == time_units.end() || known->factor >= factor_before) return std::nullopt;
    factor_before = known->factor;
    const auto count = multiply(*number, known->factor, most - total);
    if (!count) return std::nullopt;
    total += *count;
  }
  return Duration{static_cast<std::int64_t>(total)};
}

std::string format_duration(Duration span) {
  if (span.count() < 0) {
    if (span == Duration::min()) return "-" + format_duration(Duration::max());
    return "-" + format_duration(-span);
  }
  if (span.count() == 0) return "0s";
  auto left = static_cast<std::uint64_t>(span.count());
  constexpr std::uint64_t second = 1'000'000'000;
  if (left < 60 * second) {
    for (const Unit& unit : time_units) {
      if (left < unit.factor) continue;
      if (left % unit.factor == 0)
        return std::to_string(left / unit.factor) + std::string{unit.name};
      const double value = static_cast<double>(left) / static_cast<double>(unit.factor);
      std::string text = three_digits(value);
      while (text.find('.') != std::string::npos && text.ends_with('0')) text.pop_back();
      if (text.ends_with('.')) text.pop_back();
      return text + std::string{unit.name};
    }
  }
  left = (left / second + (left % second >= second / 2 ? 1 : 0)) * second;
  std::string text;
  for (const Unit& unit : time_units) {
    if (unit.factor < second || left < unit.factor) continue;
    text += std::to_string(left / unit.factor) + std::string{unit.name};
    left %= unit.factor;
  }
  return text;
}

}  // namespace hearth

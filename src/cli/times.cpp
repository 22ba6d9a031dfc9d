#include "cli/times.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "cli/table.h"
#include "codec/config.h"

namespace hearth {

std::optional<std::int64_t> unix_ms_of(std::string_view text) {
  std::tm parts{};
  int ms = 0;
  char zone = 0;
  const std::string copy{text};
  const int read =
      std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3d%c", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms, &zone);
  if (read != 8 || zone != 'Z') return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<std::int64_t>(::timegm(&parts)) * 1000 + ms;
}

std::string ago(std::string_view text, std::int64_t now_unix_ms) {
  const auto at = unix_ms_of(text);
  if (!at) return "-";
  const auto span = static_cast<double>(std::max<std::int64_t>(0, now_unix_ms - *at));
  return human_span(span) + " ago";
}

std::string clock_text(std::string_view text) {
  const auto at = unix_ms_of(text);
  if (!at) return "-";
  const auto seconds_of_unix = static_cast<std::time_t>(*at / 1000);
  std::tm parts{};
  ::localtime_r(&seconds_of_unix, &parts);
  std::array<char, 16> buffer{};
  std::strftime(buffer.data(), buffer.size(), "%H:%M:%S", &parts);
  return buffer.data();
}

Result<Duration> duration_option(std::string_view text, std::string_view option) {
  const auto span = parse_duration(text);
  if (!span || *span < 0s) {
    return fail(Errc::invalid, std::string{option} + ": `" + printable(text) +
                                   "` is not a duration: write 500ms, 30s, 2m or 1h");
  }
  if (*span > 24h) {
    return fail(Errc::invalid,
                std::string{option} + " takes a day (24h) at most, not " + std::string{text});
  }
  return *span;
}

}  // namespace hearth

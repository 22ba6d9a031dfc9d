// Sizes, durations, command lines and near names: what is read is shown, and what is shown is read.
#include <cstdlib>

#include "codec/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto bytes = hearth::parse_bytes(text)) {
    const bool is_near_limit = *bytes > hearth::Bytes{1ULL << 61};
    if (!hearth::parse_bytes(hearth::format_bytes(*bytes)) && !is_near_limit) std::abort();
  }
  if (const auto span = hearth::parse_duration(text)) {
    if (span->count() < 0) std::abort();
    const bool is_near_limit = span->count() > (1LL << 62);
    if (!hearth::parse_duration(hearth::format_duration(*span)) && !is_near_limit) std::abort();
  }
  if (const auto words = hearth::split_command(text)) {
    std::string quoted;
    for (const std::string& word : *words) {
      quoted += " '";
      for (const char c : word) quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
      quoted += "'";
    }
    if (hearth::split_command(quoted).value() != *words) std::abort();
  }
  (void)hearth::near_names(text, {"needs", "memory", "conflicts", std::string{text}});
  std::uint64_t raw = 0;
  for (std::size_t i = 0; i < size && i < 8; ++i) raw = raw << 8 | data[i];
  // Three digits round up: a value at the very limit is shown as one above it.
  raw >>= 3;
  const std::string shown = hearth::format_duration(hearth::Duration{static_cast<int64_t>(raw)});
  if (!hearth::parse_duration(shown)) std::abort();
  if (!hearth::parse_bytes(hearth::format_bytes(hearth::Bytes{raw}))) std::abort();
  return 0;
}

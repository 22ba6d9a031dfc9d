#include "runtime/log.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <span>

#include "runtime/clock.h"
#include "runtime/files.h"

namespace hearth {
namespace {

std::string_view name_of_level(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "info";
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string plain(std::string_view message) {
  std::string text;
  for (const char c : message) text += is_control(c) ? ' ' : c;
  return text;
}

std::string quoted(std::string_view message) {
  std::string text = "\"";
  for (const char c : message) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else {
      text += is_control(c) ? ' ' : c;
    }
  }
  return text + "\"";
}

}  // namespace

LogLevel log_level_of(std::string_view name) {
  for (const LogLevel level : {LogLevel::error, LogLevel::warn, LogLevel::debug}) {
    if (name == name_of_level(level)) return level;
  }
  return LogLevel::info;
}

std::string log_time(std::int64_t unix_ms) {
  const std::time_t whole = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  (void)::gmtime_r(&whole, &parts);
  std::array<char, 80> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, static_cast<int>(unix_ms % 1000));
  return {text.data(), static_cast<std::size_t>(size)};
}

Log::Log(LogLevel level, bool is_json, Sink sink)
    : level_(level), is_json_(is_json), sink_(std::move(sink)) {}

void Log::write(LogLevel level, std::string_view message, std::string_view component) {
  if (!is_on(level)) return;
  const std::string at = log_time(unix_ms_now());
  std::string line;
  if (is_json_) {
    line = "{\"at\":\"" + at + "\",\"level\":\"" + std::string{name_of_level(level)} + "\"";
    if (!component.empty()) line += ",\"component\":" + quoted(component);
    line += ",\"message\":" + quoted(message) + "}\n";
  } else {
    std::string name{name_of_level(level)};
    name.resize(5, ' ');
    line = at + " " + name + " " + plain(message) + "\n";
  }
  const MutexLock lock{mutex_};
  if (sink_) {
    sink_(line);
  } else {
    (void)write_all(STDERR_FILENO, std::as_bytes(std::span{line}));
  }
}

}  // namespace hearth

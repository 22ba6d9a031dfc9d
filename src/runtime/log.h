// The daemon's own log: one line an entry, text or JSON.
//
// Contract   an entry below the level is dropped before it is formed. Lines hold no line breaks
//            and no control characters, whatever is logged. Text: "2026-01-02T03:04:05.678Z info
//            message".
// Threads    thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/mutex.h"

namespace hearth {

enum class LogLevel : unsigned char { error, warn, info, debug };

// "error", "warn", "info", "debug"; anything else is info.
[[nodiscard]] LogLevel log_level_of(std::string_view name);

class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;  // with its line end

  // Without a sink: standard error.
  explicit Log(LogLevel level = LogLevel::info, bool is_json = false, Sink sink = {});

  void write(LogLevel level, std::string_view message, std::string_view component = {});
  void error(std::string_view message) { write(LogLevel::error, message); }
  void warn(std::string_view message) { write(LogLevel::warn, message); }
  void info(std::string_view message) { write(LogLevel::info, message); }
  void debug(std::string_view message) { write(LogLevel::debug, message); }
  [[nodiscard]] bool is_on(LogLevel level) const { return level <= level_; }
  // For what is written from now on.
  void change(LogLevel level, bool is_json) {
    level_ = level;
    is_json_ = is_json;
  }

 private:
  std::atomic<LogLevel> level_;
  std::atomic<bool> is_json_;
  Sink sink_;
  Mutex mutex_;
};

// RFC 3339, UTC, milliseconds.
[[nodiscard]] std::string log_time(std::int64_t unix_ms);

}  // namespace hearth

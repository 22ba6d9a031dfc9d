// Numbers with types: sizes, spans and points of time.
//
// Units      Bytes counts bytes; Duration is nanoseconds; Instant is nanoseconds since a start that
//            the shell chooses (CLOCK_BOOTTIME live, zero in a simulation).
// Contract   Instant - Instant is a Duration; Instant + Instant does not compile. No type here has
//            a now(): whoever needs the time is handed it.
// Exactness  integers only. Bytes subtraction below zero is an assertion.
// Threads    pure.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

#include "base/assert.h"

namespace hearth {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;  // NOLINT: 5s, 100ms are the vocabulary of this project

struct Instant {
  std::int64_t ns = 0;

  constexpr auto operator<=>(const Instant&) const = default;
  static constexpr Instant never() { return Instant{std::numeric_limits<std::int64_t>::max()}; }
};

// Saturates at never(), so that a deadline far away stays one.
constexpr Instant operator+(Instant at, Duration span) {
  if (span.count() > 0 && at.ns > std::numeric_limits<std::int64_t>::max() - span.count()) {
    return Instant::never();
  }
  return Instant{at.ns + span.count()};
}
constexpr Instant operator-(Instant at, Duration span) { return Instant{at.ns - span.count()}; }
constexpr Duration operator-(Instant a, Instant b) { return Duration{a.ns - b.ns}; }

struct Bytes {
  std::uint64_t count = 0;

  constexpr auto operator<=>(const Bytes&) const = default;
  constexpr Bytes& operator+=(Bytes other) {
    count += other.count;
    return *this;
  }
  constexpr Bytes& operator-=(Bytes other) {
    HEARTH_ASSERT(count >= other.count);
    count -= other.count;
    return *this;
  }
  static constexpr Bytes unlimited() {
    return Bytes{std::numeric_limits<std::uint64_t>::max() / 4};
  }
};

constexpr Bytes operator+(Bytes a, Bytes b) { return a += b; }
constexpr Bytes operator-(Bytes a, Bytes b) { return a -= b; }
// What is left of a after b, zero when b is larger.
constexpr Bytes less(Bytes a, Bytes b) { return Bytes{a.count > b.count ? a.count - b.count : 0}; }

constexpr Bytes operator""_KiB(unsigned long long n) { return Bytes{n << 10}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return Bytes{n << 20}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return Bytes{n << 30}; }
constexpr Bytes operator""_MB(unsigned long long n) { return Bytes{n * 1'000'000}; }

constexpr double seconds(Duration span) { return static_cast<double>(span.count()) * 1e-9; }
constexpr double milliseconds(Duration span) { return static_cast<double>(span.count()) * 1e-6; }

}  // namespace hearth

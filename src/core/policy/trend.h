// How available memory falls, by the last looks at it, and when so much of it will be gone.
//
// Contract   A Trend is of memory that falls, and by more than idle machines waver by: its rate is
//            above zero. It grows, or comes to rest, by its growth for as long as it was seen, and
//            goes on evenly then; it never rises. trend_of() takes the longest part of the looks,
//            up to the last, that is near a line, by the median slope of all pairs (Sen, 1968), or
//            much nearer to a curve, by the slopes of its halves; else whatever stands out from
//            what it wavers by. steady_trend_of() takes the line of all looks alone: later to see
//            what begins, and seldom taken in by a burst. Both: none, when memory does not fall, or
//            as much as it wavers, or there are fewer than four looks.
// Domain     looks in order of time, each later than the one before.
// Units      bytes and seconds.
// Exactness  + - * / on doubles only, so equal inputs give equal bits everywhere.
// Threads    pure.  Cost  n looks: n * n / 2 slopes, some us for the two dozen of a gauge.
#pragma once

#include <optional>
#include <span>

#include "base/units.h"

namespace hearth {

struct Look {
  Instant at{};
  Bytes available{};
  template <class A>
  void fields(A& a) {
    a(at, available);
  }
};

struct Trend {
  double rate = 0;    // bytes a second, now
  double growth = 0;  // of the rate, in a second
  double seen = 0;    // seconds
  [[nodiscard]] double fallen_in(double time) const;
  // Seconds; none: not within `limit`.
  [[nodiscard]] std::optional<double> time_for(double bytes, double limit) const;
};

[[nodiscard]] std::optional<Trend> trend_of(std::span<const Look> looks);
[[nodiscard]] std::optional<Trend> steady_trend_of(std::span<const Look> looks);

}  // namespace hearth

// How short memory is, of everything that the machine tells of it, and how short it will be.
//
// Contract   take() is given each look at the machine, in order of time. level() is the highest of
//            what three signs say: memory that is available, time that programs wait for memory,
//            and traffic with the swap; sign() is which of them. A level begins with the first look
//            that crosses its limit. It ends a little above the limit for memory (a twentieth
//            more), and for the others when they have been below half of it for two seconds: so
//            that it does not flutter. While memory is plenty they make it high at most.
//            next_look() is when the machine should be looked at again: memory is not taken faster
//            than take_rate_max, so that no level is passed unseen for long, and what programs
//            suffer is watched while they do.
// Exactness  + - * / on doubles only, so equal inputs give equal bits everywhere.
// Threads    thread-compatible.  Cost  some 100 ns a look, and trend() some us.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "core/model/signs.h"
#include "core/model/spec.h"

namespace hearth {

enum class PressureSign : unsigned char { memory, own_limit, stall, swap };
constexpr unsigned limit_of(PressureSign) { return 4; }
[[nodiscard]] std::string_view name_of(PressureSign sign);

// How available memory falls, and will.
struct Trend {
  double rate = 0;    // bytes a second, now
  double growth = 0;  // of the rate, in a second; seen for `seen`, and believed for as long
  double seen = 0;    // seconds
  [[nodiscard]] double fallen_in(double time) const;
  // Seconds; none: not within `limit`.
  [[nodiscard]] std::optional<double> time_for(double bytes, double limit) const;
};

class PressureGauge {
 public:
  static constexpr std::uint64_t take_rate_max = 4'000'000'000;  // bytes a second

  void take(Instant at, const MemorySigns& signs, const PressureLimits& limits);

  [[nodiscard]] Pressure level() const { return level_; }
  [[nodiscard]] PressureSign sign() const { return sign_; }
  [[nodiscard]] Bytes available() const { return signs_.available; }
  // Of the last window of at least 150 ms: the share of its time, and bytes a second.
  [[nodiscard]] double stall_share() const { return stall_share_; }
  [[nodiscard]] Bytes swap_rate() const { return swap_rate_; }

  // Stall or swap are critical by the last window, not only by a level that is held.
  [[nodiscard]] bool is_suffering(const PressureLimits& limits) const;

  [[nodiscard]] Duration next_look(const PressureLimits& limits) const;
  // By the median slope of all pairs of the last looks (Sen, 1968), or of each half of them where
  // that is much nearer to what was seen, or of the last of them alone; none when memory does not
  // fall, or as much as it wavers.
  [[nodiscard]] std::optional<Trend> trend() const;
  // The line of all of them alone: later to see what begins, and seldom taken in by a burst.
  [[nodiscard]] std::optional<Trend> steady_trend() const;
  // What was seen so far says nothing of what comes: a load of ours was part of it.
  void forget_trend() { looks_.clear(); }
  // Above which memory has to be for this level to end.
  [[nodiscard]] static Bytes end_of(Pressure level, const PressureLimits& limits);

  // True when stored bytes gave a gauge that could have been made by looks before `now`.
  [[nodiscard]] bool is_consistent(Instant now) const;
  template <class A>
  void fields(A& a) {
    a(signs_, window_at_, window_stalled_, window_swapped_, has_window_, stall_share_, swap_rate_,
      memory_level_, stall_, swap_, level_, sign_, looks_);
  }

 private:
  struct Held {  // a level that ends only after a while
    Pressure level = Pressure::low;
    Instant seen{};  // when half of its limit was last passed
    template <class A>
    void fields(A& a) {
      a(level, seen);
    }
  };
  struct Look {
    Instant at{};
    Bytes available{};
    template <class A>
    void fields(A& a) {
      a(at, available);
    }
  };
  struct Fit {
    Trend trend;
    double off = 0;     // how far a look is off it, typically
    double fallen = 0;  // while it was seen
  };
  static Fit line_of(std::span<const Look> looks);
  static Fit fit(std::span<const Look> looks);
  static bool is_fall(const Fit& fit);
  static double median_slope(std::span<const Look> looks);
  static double typical_off(std::span<const Look> looks, const Trend& trend);
  void measure_rates(Instant at);
  void keep_look(Instant at);
  static void hold(Held& held, double figure, double high, Instant at);

  MemorySigns signs_{};
  Instant window_at_{};
  Duration window_stalled_{0};
  Bytes window_swapped_{};
  bool has_window_ = false;
  double stall_share_ = 0;
  Bytes swap_rate_{};
  Pressure memory_level_ = Pressure::low;
  Held stall_{};
  Held swap_{};
  Pressure level_ = Pressure::low;
  PressureSign sign_ = PressureSign::memory;
  std::vector<Look> looks_{};  // oldest first, some seconds of them
};

}  // namespace hearth

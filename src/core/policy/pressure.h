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
// Threads    thread-compatible.  Cost  some 100 ns a look.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "core/model/signs.h"
#include "core/model/spec.h"
#include "core/policy/trend.h"

namespace hearth {

enum class PressureSign : unsigned char { memory, own_limit, stall, swap };
constexpr unsigned limit_of(PressureSign) { return 4; }
[[nodiscard]] std::string_view name_of(PressureSign sign);

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
  // Of the last looks; see trend.h.
  [[nodiscard]] std::optional<Trend> trend() const { return trend_of(looks_); }
  [[nodiscard]] std::optional<Trend> steady_trend() const { return steady_trend_of(looks_); }
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

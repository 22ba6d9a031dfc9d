#include "core/policy/pressure.h"

#include <algorithm>
#include <cstddef>

namespace hearth {
namespace {

constexpr Duration window_min = 150ms;
constexpr Duration hold_time = 2s;
constexpr Duration look_min = 50ms;
constexpr Duration look_max = 1s;
constexpr Duration look_suffering = 200ms;  // while programs stall or swap

// The trend is of the last ten seconds, and of no more than this many looks.
constexpr Duration trend_time = 10s;
constexpr Duration trend_step = 450ms;

// Stall and swap have one limit, at which pressure is high; the others follow from it.
constexpr std::array<double, 4> parts_of_high{0.5, 1, 2.5, 5};

Pressure above(double figure, double high) {
  int level = 0;
  while (level < 4 && figure >= high * parts_of_high[static_cast<std::size_t>(level)]) ++level;
  return static_cast<Pressure>(level);
}

double limit_of_level(Pressure level, double high) {
  return high * parts_of_high[static_cast<std::size_t>(level) - 1];
}

}  // namespace

std::string_view name_of(PressureSign sign) {
  constexpr std::array<std::string_view, 4> names{"memory", "own_limit", "stall", "swap"};
  return names[static_cast<std::size_t>(sign)];
}

Bytes PressureGauge::end_of(Pressure level, const PressureLimits& limits) {
  const Bytes limit = limits.below[static_cast<std::size_t>(level) - 1];
  return limit + Bytes{limit.count / 20};
}

void PressureGauge::take(Instant at, const MemorySigns& signs, const PressureLimits& limits) {
  signs_ = signs;
  signs_.available = std::min(signs.available, Bytes::unlimited());
  measure_rates(at);
  keep_look(at);
  int level = 0;
  while (level < 4 && signs_.available < limits.below[static_cast<std::size_t>(level)]) ++level;
  const int held = static_cast<int>(memory_level_);
  const bool is_held = level < held && signs_.available < end_of(memory_level_, limits);
  memory_level_ = static_cast<Pressure>(is_held ? held : level);
  hold(stall_, stall_share_, limits.stall, at);
  hold(swap_, static_cast<double>(swap_rate_.count), static_cast<double>(limits.swap.count), at);
  level_ = memory_level_;
  sign_ = signs_.is_own_limit ? PressureSign::own_limit : PressureSign::memory;
  // Programs that wait where there is memory wait for some limit of their own: to unload everything
  // would not help them.
  const Pressure most = memory_level_ == Pressure::low ? Pressure::high : Pressure::emergency;
  const Pressure stall = std::min(stall_.level, most);
  const Pressure swap = std::min(swap_.level, most);
  if (stall > level_) {
    level_ = stall;
    sign_ = PressureSign::stall;
  }
  if (swap > level_) {
    level_ = swap;
    sign_ = PressureSign::swap;
  }
}

bool PressureGauge::is_suffering(const PressureLimits& limits) const {
  const auto is_critical = [](double figure, double high) {
    return high > 0 && above(figure, high) >= Pressure::critical;
  };
  return is_critical(stall_share_, limits.stall) ||
         is_critical(static_cast<double>(swap_rate_.count), static_cast<double>(limits.swap.count));
}

void PressureGauge::measure_rates(Instant at) {
  const bool is_anew = signs_.stalled < window_stalled_ || signs_.swapped < window_swapped_;
  const Duration passed = at - window_at_;
  if (has_window_ && !is_anew) {
    if (passed < window_min) return;
    const double time = seconds(passed);
    stall_share_ = std::min(1.0, seconds(signs_.stalled - window_stalled_) / time);
    const double bytes = static_cast<double>((signs_.swapped - window_swapped_).count);
    swap_rate_ = Bytes{static_cast<std::uint64_t>(std::min(bytes / time, 1e15))};
  }
  has_window_ = true;
  window_at_ = at;
  window_stalled_ = signs_.stalled;
  window_swapped_ = signs_.swapped;
}

void PressureGauge::hold(Held& held, double figure, double high, Instant at) {
  if (high <= 0) {  // not to be looked at
    held = {};
    return;
  }
  const Pressure level = above(figure, high);
  if (level >= held.level) {
    held = {.level = level, .seen = at};
    return;
  }
  if (figure >= limit_of_level(held.level, high) / 2) held.seen = at;
  if (at - held.seen >= hold_time) held = {.level = level, .seen = at};
}

void PressureGauge::keep_look(Instant at) {
  if (signs_.available == Bytes::unlimited()) return;
  std::erase_if(looks_, [at](const Look& look) { return at - look.at > trend_time; });
  if (looks_.empty() || at - looks_.back().at >= trend_step) {
    looks_.push_back({.at = at, .available = signs_.available});
  }
}

bool PressureGauge::is_consistent(Instant now) const {
  const auto is_before = [](const Look& a, const Look& b) { return a.at < b.at; };
  const bool is_in_order = std::ranges::adjacent_find(looks_, [&](const Look& a, const Look& b) {
                             return !is_before(a, b);
                           }) == looks_.end();
  const bool is_timed = stall_.seen <= now && swap_.seen <= now && stall_.seen >= Instant{} &&
                        swap_.seen >= Instant{} && window_at_ >= Instant{} &&
                        window_stalled_ >= Duration{0};
  const bool is_begun = looks_.empty() || looks_.front().at >= Instant{};
  return is_timed && is_begun && is_in_order && (looks_.empty() || looks_.back().at <= now) &&
         window_at_ <= now &&
         looks_.size() <= static_cast<std::size_t>(trend_time / trend_step) + 1;
}

Duration PressureGauge::next_look(const PressureLimits& limits) const {
  // Below the last level it is what is left at all.
  const auto level = static_cast<std::size_t>(memory_level_);
  const Bytes next = level < 4 ? limits.below[level] : Bytes{};
  const double distance = static_cast<double>(less(signs_.available, next).count);
  const double time = distance / static_cast<double>(take_rate_max);
  const bool suffers = stall_.level > Pressure::low || swap_.level > Pressure::low;
  const Duration most = suffers ? look_suffering : look_max;
  if (time >= seconds(most)) return most;
  return std::max(look_min, Duration{static_cast<std::int64_t>(time * 1e9)});
}

}  // namespace hearth

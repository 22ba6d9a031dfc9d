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
constexpr std::size_t trend_looks_min = 4;
constexpr std::size_t curve_looks_min = 8;
constexpr double curve_gain = 2;
constexpr double clear = 16;
constexpr double fall_min = 1024.0 * 1024;  // bytes a second: what idle machines waver by

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

double median(std::vector<double>& figures) {
  const auto middle = figures.begin() + static_cast<std::ptrdiff_t>(figures.size() / 2);
  std::ranges::nth_element(figures, middle);
  return *middle;
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

// Bytes a second, falling.
double PressureGauge::median_slope(std::span<const Look> looks) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    for (std::size_t j = i + 1; j < looks.size(); ++j) {
      const double bytes = static_cast<double>(looks[i].available.count) -
                           static_cast<double>(looks[j].available.count);
      slopes.push_back(bytes / seconds(looks[j].at - looks[i].at));
    }
  }
  return median(slopes);
}

// How far a look is off the trend, typically.
double PressureGauge::typical_off(std::span<const Look> looks, const Trend& trend) {
  std::vector<double> offs;
  for (const Look& look : looks) {
    const double ago = seconds(looks.back().at - look.at);
    const double fallen = trend.rate * ago - trend.growth * ago * ago / 2;
    offs.push_back(static_cast<double>(look.available.count) - fallen);
  }
  const double level = median(offs);
  for (double& off : offs) off = off < level ? level - off : off - level;
  return median(offs);
}

double Trend::fallen_in(double time) const {
  double grows = std::min(time, seen);
  // It may come to rest, and does not rise for that.
  if (growth < 0) grows = std::min(grows, -rate / growth);
  return rate * time + growth * grows * grows / 2 + growth * grows * (time - grows);
}

std::optional<double> Trend::time_for(double bytes, double limit) const {
  if (rate <= 0 || fallen_in(limit) < bytes) return std::nullopt;
  if (bytes <= 0) return 0.0;
  double early = 0;
  double late = limit;
  for (int step = 0; step < 40; ++step) {
    const double middle = (early + late) / 2;
    (fallen_in(middle) < bytes ? early : late) = middle;
  }
  return late;
}

PressureGauge::Fit PressureGauge::line_of(std::span<const Look> looks) {
  const Duration seen = looks.back().at - looks.front().at;
  const double slope = median_slope(looks);
  Fit line{.trend = {.rate = slope, .growth = 0, .seen = seconds(seen)}, .off = 0, .fallen = 0};
  line.fallen = line.trend.rate * line.trend.seen;
  line.off = typical_off(looks, line.trend);
  return line;
}

// More than idle machines waver by, and more than it wavers.
bool PressureGauge::is_fall(const Fit& fit) {
  return fit.trend.rate >= fall_min && fit.fallen >= 2 * fit.off;
}

// What these looks follow: their line, or a curve where that is much nearer.
PressureGauge::Fit PressureGauge::fit(std::span<const Look> looks) {
  const Fit line = line_of(looks);
  if (looks.size() < curve_looks_min) return line;
  const auto older = looks.first(looks.size() / 2);
  const auto newer = looks.last(looks.size() - looks.size() / 2);
  const auto middle = [](std::span<const Look> part) {
    return (seconds(part.front().at - Instant{}) + seconds(part.back().at - Instant{})) / 2;
  };
  const double before = median_slope(older);
  const double after = median_slope(newer);
  Fit curve = line;
  curve.trend.growth = (after - before) / (middle(newer) - middle(older));
  curve.trend.rate =
      after + curve.trend.growth * (seconds(looks.back().at - Instant{}) - middle(newer));
  curve.off = typical_off(looks, curve.trend);
  curve.fallen = (before + after) / 2 * curve.trend.seen;
  const bool is_nearer = curve.off * curve_gain < line.off && curve.trend.rate > 0;
  return is_nearer ? curve : line;
}

std::optional<Trend> PressureGauge::trend() const {
  std::optional<Fit> found;
  for (std::size_t size = looks_.size(); size >= trend_looks_min; size = size * 2 / 3) {
    const Fit one = fit(std::span{looks_}.last(size));
    if (!is_fall(one)) continue;
    if (!found) found = one;
    if (one.fallen >= one.off * clear) return one.trend;
  }
  if (!found) return std::nullopt;
  return found->trend;
}

std::optional<Trend> PressureGauge::steady_trend() const {
  if (looks_.size() < trend_looks_min) return std::nullopt;
  const Fit line = line_of(looks_);
  if (!is_fall(line)) return std::nullopt;
  return line.trend;
}

}  // namespace hearth

#include "core/policy/trend.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace hearth {
namespace {

constexpr std::size_t looks_min = 4;
constexpr std::size_t curve_looks_min = 8;
constexpr double curve_gain = 2;  // so many times nearer than the line
constexpr double clear = 16;      // so many times more has fallen than a look is off, typically
constexpr double fall_min = 1024.0 * 1024;  // bytes a second: what idle machines waver by

struct Fit {
  Trend trend;
  double off = 0;     // how far a look is off it, typically
  double fallen = 0;  // while it was seen
};

double median(std::vector<double>& figures) {
  const auto middle = figures.begin() + static_cast<std::ptrdiff_t>(figures.size() / 2);
  std::ranges::nth_element(figures, middle);
  return *middle;
}

// Bytes a second, falling.
double median_slope(std::span<const Look> looks) {
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
double typical_off(std::span<const Look> looks, const Trend& trend) {
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

Fit line_of(std::span<const Look> looks) {
  const Duration seen = looks.back().at - looks.front().at;
  const double slope = median_slope(looks);
  Fit line{.trend = {.rate = slope, .growth = 0, .seen = seconds(seen)}, .off = 0, .fallen = 0};
  line.fallen = line.trend.rate * line.trend.seen;
  line.off = typical_off(looks, line.trend);
  return line;
}

// More than idle machines waver by, and more than it wavers.
bool is_fall(const Fit& fit) { return fit.trend.rate >= fall_min && fit.fallen >= 2 * fit.off; }

// What these looks follow: their line, or a curve where that is much nearer.
Fit fit(std::span<const Look> looks) {
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

}  // namespace

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

std::optional<Trend> trend_of(std::span<const Look> looks) {
  std::optional<Fit> found;
  for (std::size_t size = looks.size(); size >= looks_min; size = size * 2 / 3) {
    const Fit one = fit(looks.last(size));
    if (!is_fall(one)) continue;
    if (!found) found = one;
    if (one.fallen >= one.off * clear) return one.trend;
  }
  if (!found) return std::nullopt;
  return found->trend;
}

std::optional<Trend> steady_trend_of(std::span<const Look> looks) {
  if (looks.size() < looks_min) return std::nullopt;
  const Fit line = line_of(looks);
  if (!is_fall(line)) return std::nullopt;
  return line.trend;
}

}  // namespace hearth

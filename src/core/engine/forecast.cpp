// How memory will be: the trend of what the machine has left, and the loads that are under way.
#include <algorithm>

#include "core/engine/state.h"

namespace hearth {
namespace {

// Further ahead nobody can see, and nothing is done about it.
constexpr Duration sight = 10min;

}  // namespace

// A load takes its memory evenly, as far as one can know: what it has not taken yet.
std::vector<Engine::Impl::Coming> Engine::Impl::coming_loads() const {
  std::vector<Coming> loads;
  for (const ComponentId id : loading) {
    const Duration expected = std::max<Duration>(expected_load_time(id), 100ms);
    const Duration left = std::max<Duration>(at(id).load_started + expected - now, Duration{0});
    // Of one that was never loaded, or takes longer than it ever did, nothing is known: it may take
    // all of it still.
    const bool is_known =
        (at(id).load_time > Duration{0} || at(id).asleep > Bytes{}) && left > Duration{0};
    const double share = is_known ? std::min(seconds(left) / seconds(expected), 1.0) : 1.0;
    const double bytes = static_cast<double>(less(ledger.held(id), at(id).asleep).count) * share;
    loads.push_back(
        {.within = is_known ? left : expected, .bytes = Bytes{static_cast<std::uint64_t>(bytes)}});
  }
  for (const ComponentId id : admitted) {
    loads.push_back(
        {.within = expected_load_time(id), .bytes = less(ledger.held(id), at(id).asleep)});
  }
  std::ranges::sort(loads, {}, &Coming::within);
  return loads;
}

Bytes Engine::Impl::coming_bytes() const {
  Bytes sum;
  for (const Coming& load : coming_loads()) sum += load.bytes;
  return sum;
}

// Without what our own loads take of it.
Trend Engine::Impl::beside(std::optional<Trend> seen, const std::vector<Coming>& loads) {
  Trend trend = seen.value_or(Trend{});
  for (const Coming& load : loads) {
    if (load.within > Duration{0}) {
      trend.rate -= static_cast<double>(load.bytes.count) / seconds(load.within);
    }
  }
  return trend.rate > 0 ? trend : Trend{};
}

std::optional<Forecast> Engine::Impl::forecast() const {
  const Bytes available = gauge.available();
  if (available == Bytes::unlimited() || pressure == Pressure::emergency) return std::nullopt;
  const Bytes limit = configuration.settings.pressure.below[static_cast<std::size_t>(pressure)];
  const std::vector<Coming> loads = coming_loads();
  const Trend trend = beside(gauge.trend(), loads);
  double left = static_cast<double>(available.count) - static_cast<double>(limit.count);
  double time = seconds(sight);
  for (const Coming& load : loads) {
    const double bytes = static_cast<double>(load.bytes.count);
    const double at_end = left - bytes - trend.fallen_in(seconds(load.within));
    if (at_end < 0) {
      time = std::min(time, seconds(load.within));
      break;
    }
    left -= bytes;
  }
  time = trend.time_for(left, time).value_or(time);
  if (time >= seconds(sight)) return std::nullopt;
  return Forecast{.level = static_cast<Pressure>(static_cast<int>(pressure) + 1),
                  .in = Duration{static_cast<std::int64_t>(time * 1e9)}};
}

// What will be left then, as far as it is worth acting on: not by what a burst may have been.
Bytes Engine::Impl::available_in(Duration time) const {
  Bytes taken;
  const std::vector<Coming> loads = coming_loads();
  for (const Coming& load : loads) {
    if (load.within <= time) taken += load.bytes;
  }
  const double fallen = beside(gauge.steady_trend(), loads).fallen_in(seconds(time));
  return less(gauge.available(), taken + Bytes{static_cast<std::uint64_t>(fallen)});
}

}  // namespace hearth

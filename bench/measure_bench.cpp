// What measuring costs: a sample, a look at the clock, and looking through what a step has
// decided, beside the step itself.
//
//    measure_bench    nanoseconds: of samples and looks the best of 200 rounds, of steps, over a
//                     day at 64 components, the median
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "runtime/measures.h"
#include "support/step_day.h"

namespace hearth::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t samples = 50'000;

// The best round is the one in which nothing else ran.
template <class Each>
double cost(Each&& each) {
  double best = 1e9;
  for (int round = 0; round < 200; ++round) {
    const auto began = Clock::now();
    for (std::size_t i = 0; i < samples; ++i) each();
    const std::chrono::duration<double, std::nano> took = Clock::now() - began;
    best = std::min(best, took.count() / static_cast<double>(samples));
  }
  return best;
}

// Spans from 1 us to 67 s, in no order.
double record_cost(Histogram& histogram) {
  std::uint64_t state = 1;
  return cost([&] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    histogram.record(Duration{1000LL << (state >> 59U) % 27});
  });
}

void print_samples() {
  static constexpr std::array<Duration, 20> bounds{20us, 50us, 100us, 500us, 1ms,   5ms, 10ms,
                                                   25ms, 50ms, 100ms, 250ms, 500ms, 1s,  2s,
                                                   5s,   10s,  30s,   60s,   120s,  300s};
  Histogram histogram{bounds};
  std::printf("a sample                        %6.1f\n", record_cost(histogram));
  std::printf("a look at the clock             %6.1f\n", cost([] { (void)Clock::now(); }));
}

double median(std::vector<double>& all) {
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::ranges::nth_element(all, middle);
  return *middle;
}

void print_steps() {
  Measures measures;
  StepDay day{DaySize{}};
  std::vector<double> steps;
  std::vector<double> looks;
  day.run(200'000, [&](Engine& engine, const Event& event, std::vector<Action>& actions) {
    const auto before = Clock::now();
    engine.step(event, actions);
    const auto between = Clock::now();
    measures.took_step(between - before);
    measures.observe(engine, actions);
    const auto after = Clock::now();
    steps.push_back(std::chrono::duration<double, std::nano>(between - before).count());
    looks.push_back(std::chrono::duration<double, std::nano>(after - between).count());
  });
  std::printf("a step                          %6.1f  (a look at the clock included)\n",
              median(steps));
  std::printf("its sample and what it decided  %6.1f  (a look at the clock included)\n",
              median(looks));
}

}  // namespace
}  // namespace hearth::bench

int main() {
  hearth::bench::print_samples();
  hearth::bench::print_steps();
  return 0;
}

// Times of Engine::step by kind of event, at 64 components and at 10,000 with 256 resident.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "support/step_day.h"

namespace hearth::bench {
namespace {

using Clock = std::chrono::steady_clock;

double share_of(std::vector<double>& samples, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), samples.begin() + at, samples.end());
  return samples[static_cast<std::size_t>(at)];
}

void print_row(const std::string& name, std::vector<double>& samples) {
  const double median = share_of(samples, 0.5);
  const double p99 = share_of(samples, 0.99);
  std::printf("  %-20s %9zu %11.2f %11.2f\n", name.c_str(), samples.size(), median, p99);
}

void measure(DaySize size, std::size_t rounds) {
  std::map<std::string, std::vector<double>> samples;
  std::vector<double> all;
  StepDay day{size};
  day.run(rounds, [&](Engine& engine, const Event& event, std::vector<Action>& actions) {
    const auto begun = Clock::now();
    engine.step(event, actions);
    const std::chrono::duration<double, std::micro> took = Clock::now() - begun;
    samples[std::string{name_of(event)}].push_back(took.count());
    all.push_back(took.count());
  });
  std::printf("%zu declared, %zu resident\n", size.declared, size.resident);
  std::printf("  %-20s %9s %11s %11s\n", "event", "steps", "median us", "p99 us");
  for (auto& [name, times] : samples) print_row(name, times);
  print_row("all", all);
}

}  // namespace
}  // namespace hearth::bench

int main() {
  hearth::bench::measure({.declared = 64, .resident = 32}, 200'000);
  hearth::bench::measure({.declared = 10'000, .resident = 256}, 200'000);
  return 0;
}

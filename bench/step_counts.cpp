// Steps of one kind of event, for callgrind to count: see tools/instructions.
//
//    step_counts --kinds    the kinds, one a line
//    step_counts KIND       a day at 64 components; `steps: N` of that kind

#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "support/step_day.h"

namespace hearth::bench {

// Callgrind collects inside this function alone, so it must stay one.
[[gnu::noinline]] void measured_step(Engine& engine, const Event& event,
                                     std::vector<Action>& actions) {
  engine.step(event, actions);
}

namespace {

constexpr std::size_t rounds = 20'000;
constexpr std::size_t steps_min = 500;  // a kind seen less often says little

int print_kinds() {
  std::map<std::string, std::size_t> seen;
  StepDay day{DaySize{}};
  day.run(rounds, [&seen](Engine& engine, const Event& event, std::vector<Action>& actions) {
    ++seen[std::string{name_of(event)}];
    engine.step(event, actions);
  });
  for (const auto& [kind, count] : seen) {
    if (count >= steps_min) std::cout << kind << '\n';
  }
  return 0;
}

int count_kind(std::string_view kind) {
  std::size_t steps = 0;
  StepDay day{DaySize{}};
  day.run(rounds, [&](Engine& engine, const Event& event, std::vector<Action>& actions) {
    if (name_of(event) == kind) {
      ++steps;
      measured_step(engine, event, actions);
    } else {
      engine.step(event, actions);
    }
  });
  std::cout << "steps: " << steps << '\n';
  return steps > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hearth::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: step_counts --kinds | KIND\n";
    return 2;
  }
  const std::string_view asked = argv[1];
  return asked == "--kinds" ? hearth::bench::print_kinds() : hearth::bench::count_kind(asked);
}

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/console.h"
#include "sim/command.h"

namespace hearth {
namespace {

// The words after `sim`, as they were given: the simulator reads them itself, so that it is the
// same program as hearth-sim, which has no other library.
Result<int> run(Console& console, const std::string& span, bool is_swarm) {
  // Below it no day can show all that it must, and the report calls that a failure.
  constexpr Duration shortest = 10min;
  const auto asked = parse_duration(span);
  if (asked && *asked < shortest && !is_swarm) {
    return fail(Errc::invalid,
                "--virtual " + span + " is too short to show anything: 10m at least");
  }
  const auto& words = console.arguments();
  const auto at = std::ranges::find(words, "sim");
  const std::vector<std::string> own{at == words.end() ? at : at + 1, words.end()};
  return sim::sim_main(own, console.out());
}

CommandRun declare(Arguments& arguments) {
  struct Options {
    std::string seed, span, components, minutes;
    bool has_trace = false;
    bool is_swarm = false;
    bool is_faultless = false;
  };
  auto options = std::make_unique<Options>();
  arguments.text(
      options->seed,
      {.name = "--seed", .help = "The seed of the day (1), or several: A..B", .type = "N"});
  arguments.text(options->span,
                 {.name = "--virtual", .help = "How long, in virtual time (24h)", .type = "SPAN"});
  arguments.text(options->components,
                 {.name = "--components", .help = "How many components (64)", .type = "N"});
  arguments.flag(options->has_trace, {.name = "--trace", .help = "Print every event and action"});
  arguments.flag(options->is_swarm,
                 {.name = "--swarm", .help = "Seed after seed with other faults and sizes"});
  arguments.flag(options->is_faultless,
                 {.name = "--no-faults", .help = "A world where nothing goes wrong"});
  arguments.text(options->minutes,
                 {.name = "--minutes", .help = "How long the swarm goes on", .type = "N"});
  arguments.allow_other_words();
  return [options = std::move(options)](Console& console) {
    return run(console, options->span, options->is_swarm);
  };
}

}  // namespace

extern const Command command_sim;
const Command command_sim{
    .summary = "Run the core for a virtual day with faults and check its invariants",
    .group = CommandGroup::tools,
    .declare = declare,
};

}  // namespace hearth

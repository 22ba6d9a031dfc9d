#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include "cli/command.h"
#include "cli/component_table.h"
#include "cli/console.h"
#include "cli/times.h"

namespace hearth {
namespace {

struct Options {
  bool is_watching = false;
  bool is_names_only = false;
};

Result<int> show(Console& console, Link& link, const Options& options) {
  const OrderedJson answer = HEARTH_TRY(link.get("/v1/components"));
  if (console.is_json()) {
    console.print(answer);
  } else if (options.is_names_only) {
    for (const OrderedJson& row : part_of(answer, "components")) {
      console.out() << printable(text_of(row, "name")) << "\n";
    }
  } else if (part_of(answer, "components").empty()) {
    console.out() << "no components are declared: add some to the configuration\n";
  } else {
    console.print(component_table(part_of(answer, "components"), unix_ms_now()));
  }
  return 0;
}

Result<int> run(Console& console, const Options& options) {
  Link& link = *HEARTH_TRY(console.link());
  if (!options.is_watching) return show(console, link, options);
  for (;;) {
    if (console.streams().is_terminal && !console.is_json()) console.out() << "\x1b[H\x1b[2J";
    (void)HEARTH_TRY(show(console, link, options));
    console.out().flush();
    if (!console.out()) return 0;  // the reader of a pipe is gone
    std::this_thread::sleep_for(1s);
  }
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.flag(options->is_watching,
                 {.name = "-w,--watch", .help = "Show it again every second"});
  arguments.flag(options->is_names_only, {.name = "--names", .help = "Names alone, a line each"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_ps;
const Command command_ps{
    .summary = "List the components: state, memory, use",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include "cli/command.h"
#include "cli/component_table.h"
#include "cli/session.h"
#include "cli/times.h"

namespace hearth {
namespace {

struct Options {
  bool is_watching = false;
  bool is_names_only = false;
};

Result<int> show(Session& session, Link& link, const Options& options) {
  const OrderedJson answer = HEARTH_TRY(link.get("/v1/components"));
  if (session.is_json()) {
    session.print(answer);
  } else if (options.is_names_only) {
    for (const OrderedJson& row : part_of(answer, "components")) {
      session.out() << printable(text_of(row, "name")) << "\n";
    }
  } else if (part_of(answer, "components").empty()) {
    session.out() << "no components are declared: add some to the configuration\n";
  } else {
    session.print(component_table(part_of(answer, "components"), unix_ms_now()));
  }
  return 0;
}

Result<int> run(Session& session, const Options& options) {
  Link& link = *HEARTH_TRY(session.link());
  if (!options.is_watching) return show(session, link, options);
  for (;;) {
    if (session.streams().is_terminal && !session.is_json()) session.out() << "\x1b[H\x1b[2J";
    (void)HEARTH_TRY(show(session, link, options));
    session.out().flush();
    if (!session.out()) return 0;   // the reader of a pipe is gone
    std::this_thread::sleep_for(1s);
  }
}

CommandRun declare(CLI::App& app) {
  auto options = std::make_unique<Options>();
  app.add_flag("-w,--watch", options->is_watching, "Show it again every second");
  app.add_flag("--names", options->is_names_only, "Names alone, a line each");
  return [options = std::move(options)](Session& session) { return run(session, *options); };
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

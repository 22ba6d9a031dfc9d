#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

Result<int> run(Console& console) {
  Link& link = *HEARTH_TRY(console.link());
  const auto answer = link.post("/v1/reload", OrderedJson::object());
  if (!answer) {
    if (answer.error().code == Errc::invalid) {
      console.mark_bad_config();
      return fail(Errc::invalid,
                  "nothing has changed, the configuration has errors:\n" + answer.error().detail);
    }
    return std::unexpected(answer.error());
  }
  if (console.is_json()) {
    console.print(*answer);
  } else {
    console.out() << "reloaded\n";
    if (const OrderedJson waiting = part_of(*answer, "needs_restart"); !waiting.empty()) {
      console.out() << "only after a restart: " << printable(joined(waiting)) << "\n";
    }
  }
  return 0;
}

CommandRun declare(Arguments& /*arguments*/) {
  return [](Console& console) { return run(console); };
}

}  // namespace

extern const Command command_reload;
const Command command_reload{
    .summary = "Make the daemon read its configuration again; an invalid one changes nothing",
    .group = CommandGroup::configuration,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

#include <algorithm>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/status_text.h"

namespace hearth {
namespace {

Result<int> run(Console& console) {
  Link& link = *HEARTH_TRY(console.link());
  const OrderedJson status = HEARTH_TRY(link.get("/v1/status"));
  if (console.is_json()) {
    console.print(status);
  } else {
    console.out() << status_text(status, link.address(), console.streams().has_colour);
  }
  return 0;
}

CommandRun declare(Arguments& /*arguments*/) {
  return [](Console& console) { return run(console); };
}

}  // namespace

extern const Command command_status;
const Command command_status{
    .summary = "The daemon at a glance: memory, pressure, components, troubles",
    .group = CommandGroup::insight,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

#include <algorithm>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/status_text.h"

namespace hearth {
namespace {

Result<int> run(Session& session) {
  Link& link = *HEARTH_TRY(session.link());
  const OrderedJson status = HEARTH_TRY(link.get("/v1/status"));
  if (session.is_json()) {
    session.print(status);
  } else {
    session.out() << status_text(status, link.address(), session.streams().has_colour);
  }
  return 0;
}

CommandRun declare(CLI::App& /*app*/) {
  return [](Session& session) { return run(session); };
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

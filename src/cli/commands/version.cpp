#include <unistd.h>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/session.h"
#include "core/engine/engine.h"

namespace hearth {
namespace {

Result<int> run(Session& session) {
  if (session.is_json()) {
    session.print(OrderedJson{{"version", std::string{hearth_version()}},
                       {"core_version", Engine::version},
                       {"events_version", events_version},
                       {"compiler", __VERSION__}});
  } else {
    session.out() << "hearth " << hearth_version() << "\n";
  }
  return 0;
}

CommandRun declare(CLI::App& /*app*/) {
  return [](Session& session) { return run(session); };
}

}  // namespace

extern const Command command_version;
const Command command_version{
    .summary = "Print the version",
    .group = CommandGroup::tools,
    .declare = declare,
};

}  // namespace hearth

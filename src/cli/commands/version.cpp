#include <unistd.h>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/console.h"
#include "core/engine/engine.h"

namespace hearth {
namespace {

Result<int> run(Console& console) {
  if (console.is_json()) {
    console.print(OrderedJson{{"version", std::string{hearth_version()}},
                              {"core_version", Engine::version},
                              {"events_version", events_version},
                              {"compiler", __VERSION__}});
  } else {
    console.out() << "hearth " << hearth_version() << "\n";
  }
  return 0;
}

CommandRun declare(Arguments& /*arguments*/) {
  return [](Console& console) { return run(console); };
}

}  // namespace

extern const Command command_version;
const Command command_version{
    .summary = "Print the version",
    .group = CommandGroup::tools,
    .declare = declare,
};

}  // namespace hearth

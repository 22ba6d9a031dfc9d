#include "cli/serve.h"

#include <filesystem>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

Result<int> run(Console& console) {
  Config config = HEARTH_TRY(console.config());
  std::error_code code;
  // The components' folders lie below it, and they run elsewhere.
  config.state_dir = std::filesystem::absolute(console.state_dir(config), code);
  config.path = std::filesystem::absolute(config.path, code);
  return serve({.config = std::move(config), .environment = console.streams().environment},
               console.out());
}

CommandRun declare(Arguments& /*arguments*/) {
  return [](Console& console) { return run(console); };
}

}  // namespace

extern const Command command_serve;
const Command command_serve{
    .summary = "Run the daemon in the foreground",
    .group = CommandGroup::daemon,
    .is_json = false,
    .declare = declare,
};

}  // namespace hearth

#include "cli/pinning.h"

namespace hearth {
namespace {

CommandRun declare(CLI::App& app) { return declare_pinning(app, "pin"); }

}  // namespace

extern const Command command_pin;
const Command command_pin{
    .summary = "Load components and keep them until they are unpinned",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

#include "cli/pinning.h"

namespace hearth {
namespace {

CommandRun declare(Arguments& arguments) { return declare_pinning(arguments, "pin"); }

}  // namespace

extern const Command command_pin;
const Command command_pin{
    .summary = "Load components and keep them until they are unpinned",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

#include "cli/pinning.h"

namespace hearth {
namespace {

CommandRun declare(Arguments& arguments) { return declare_pinning(arguments, "unpin"); }

}  // namespace

extern const Command command_unpin;
const Command command_unpin{
    .summary = "Let pinned components be unloaded again",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

// What `hearth pin` and `hearth unpin` share: both are one request for each name.
//
// Contract   `verb` is the last part of the route.
// Threads    as command.h.
#pragma once

#include <string_view>

#include "cli/command.h"

namespace hearth {

[[nodiscard]] CommandRun declare_pinning(Arguments& arguments, std::string_view verb);

}  // namespace hearth

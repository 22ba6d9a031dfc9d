// Completions for shells and the manual page, both made of the outline of the commands.
//
// Contract   what they say is what the parser takes: nothing is listed by hand.
// Threads    pure.
#pragma once

#include <string>

#include "cli/arguments.h"

namespace hearth {

[[nodiscard]] std::string bash_completions(const Outline& root);
[[nodiscard]] std::string zsh_completions(const Outline& root);
[[nodiscard]] std::string fish_completions(const Outline& root);
// hearth.1, in the man macros.
[[nodiscard]] std::string manual_page(const Outline& root);

}  // namespace hearth

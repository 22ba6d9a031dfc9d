// Completions for shells and the manual page, both made of the tree of commands itself.
//
// Contract   what they say is what the parser takes: nothing is listed by hand.
// Threads    pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace hearth {

[[nodiscard]] std::string bash_completions(const CLI::App& root);
[[nodiscard]] std::string zsh_completions(const CLI::App& root);
[[nodiscard]] std::string fish_completions(const CLI::App& root);
// hearth.1, in the man macros.
[[nodiscard]] std::string manual_page(const CLI::App& root);

}  // namespace hearth

#include "cli/completions.h"

#include <memory>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

Result<int> run(Console& console, const std::string& kind) {
  const Outline root = console.root().outline();
  if (kind == "bash") console.out() << bash_completions(root);
  if (kind == "zsh") console.out() << zsh_completions(root);
  if (kind == "fish") console.out() << fish_completions(root);
  if (kind == "man") console.out() << manual_page(root);
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto kind = std::make_unique<std::string>();
  arguments.text(*kind, {.name = "kind",
                         .help = "A shell, or man for the manual page hearth.1",
                         .is_required = true,
                         .choices = {"bash", "zsh", "fish", "man"}});
  return [kind = std::move(kind)](Console& console) { return run(console, *kind); };
}

}  // namespace

extern const Command command_completions;
const Command command_completions{
    .summary = "Print completions for a shell, or the manual page",
    .group = CommandGroup::tools,
    .is_json = false,
    .declare = declare,
};

}  // namespace hearth

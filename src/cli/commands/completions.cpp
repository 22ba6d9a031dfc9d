#include "cli/completions.h"

#include <memory>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

Result<int> run(Console& console, const std::string& kind) {
  const CLI::App& root = console.root();
  if (kind == "bash") console.out() << bash_completions(root);
  if (kind == "zsh") console.out() << zsh_completions(root);
  if (kind == "fish") console.out() << fish_completions(root);
  if (kind == "man") console.out() << manual_page(root);
  return 0;
}

CommandRun declare(CLI::App& app) {
  auto kind = std::make_unique<std::string>();
  app.add_option("kind", *kind, "A shell, or man for the manual page hearth.1")
      ->required()
      ->check(CLI::Validator{[](std::string& word) {
                               const bool is_known = word == "bash" || word == "zsh" ||
                                                     word == "fish" || word == "man";
                               return is_known ? std::string{}
                                               : "`" + word + "` is none of bash, zsh, fish, man";
                             },
                             ""})
      ->type_name("bash|zsh|fish|man");
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

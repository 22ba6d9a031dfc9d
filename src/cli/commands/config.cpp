#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/console.h"
#include "codec/config_text.h"
#include "runtime/files.h"

namespace hearth {
namespace {

struct Options {
  std::string file;
  bool is_strict = false;
};

struct Checked {
  std::string path;
  std::vector<ConfigProblem> problems;
  [[nodiscard]] long errors() const {
    return std::ranges::count_if(problems, &ConfigProblem::is_error);
  }
};

Result<Checked> check_file(Console& console, const Options& options) {
  Checked checked{.path = options.file.empty() ? console.config_path() : options.file};
  if (checked.path.empty()) {
    // Says where it was looked for.
    return std::unexpected(console.config().error());
  }
  const auto text = read_file(checked.path);
  if (!text) {
    console.mark_bad_config();
    return std::unexpected(text.error());
  }
  checked.problems = check_config(*text, checked.path, console.streams().environment).problems;
  if (options.is_strict) {
    for (ConfigProblem& problem : checked.problems) problem.is_error = true;
  }
  return checked;
}

std::string plural(long count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Result<int> check(Console& console, const Options& options) {
  const Checked checked = HEARTH_TRY(check_file(console, options));
  const long errors = checked.errors();
  const long warnings = static_cast<long>(checked.problems.size()) - errors;
  if (console.is_json()) {
    OrderedJson problems = OrderedJson::array();
    for (const ConfigProblem& problem : checked.problems) {
      problems.push_back(problem_json(problem));
    }
    console.print(OrderedJson{
        {"path", checked.path}, {"valid", errors == 0}, {"problems", std::move(problems)}});
    return errors == 0 ? 0 : 3;
  }
  for (const ConfigProblem& problem : checked.problems) {
    console.out() << to_text(problem, checked.path) << "\n";
  }
  if (checked.problems.empty()) {
    console.out() << checked.path << ": valid\n";
  } else {
    console.out() << checked.path << ": " << plural(errors, "error") << ", "
                  << plural(warnings, "warning") << "\n";
  }
  return errors == 0 ? 0 : 3;
}

Result<int> show(Console& console) {
  const Config config = HEARTH_TRY(console.config());
  if (console.is_json()) {
    console.print(config_json(config, console.state_dir(config)));
  } else {
    console.out() << to_yaml(config);
  }
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.require_command();
  // --config and --json may follow these too.
  Arguments& checking = arguments.command(
      {.name = "check", .summary = "Say everything that is wrong with it", .is_outer_taken = true});
  const Arguments& showing = arguments.command(
      {.name = "show", .summary = "Show it as it will be used", .is_outer_taken = true});
  arguments.command({.name = "schema",
                     .summary = "Print the JSON Schema of hearth.yaml",
                     .is_outer_taken = true});
  checking.text(options->file,
                {.name = "file", .help = "The file; without it, the one in use", .type = "FILE"});
  checking.flag(options->is_strict, {.name = "--strict", .help = "Warnings are errors"});
  return [options = std::move(options), &checking, &showing](Console& console) -> Result<int> {
    if (checking.is_given()) return check(console, *options);
    if (showing.is_given()) return show(console);
    console.out() << json_schema() << "\n";
    return 0;
  };
}

}  // namespace

extern const Command command_config;
const Command command_config{
    .summary = "Check or show the configuration, or print its schema",
    .group = CommandGroup::configuration,
    .declare = declare,
};

}  // namespace hearth

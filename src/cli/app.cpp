#include "cli/app.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>

#include "cli/command.h"

namespace hearth {
namespace {

std::string_view title_of(CommandGroup group) {
  switch (group) {
    case CommandGroup::daemon:
      return "The daemon";
    case CommandGroup::components:
      return "Components";
    case CommandGroup::insight:
      return "What happens and why";
    case CommandGroup::configuration:
      return "Configuration";
    case CommandGroup::tools:
      return "Tools";
  }
  return "";
}

constexpr std::string_view footer =
    "`hearth COMMAND --help` says more about one. The configuration is the first of\n"
    "--config, HEARTH_CONFIG, XDG_CONFIG_HOME/hearth/hearth.yaml and\n"
    "/etc/hearth/hearth.yaml. Exit codes: 0 done, 1 refused or failed, 2 usage,\n"
    "3 configuration, 4 no daemon, 5 timed out.";

constexpr std::array groups{CommandGroup::daemon, CommandGroup::components, CommandGroup::insight,
                            CommandGroup::configuration, CommandGroup::tools};

Program program_of(std::string_view version) {
  return {
      .name = "hearth",
      .summary = "Keeps heavy components warm just before they are needed, inside a memory budget.",
      .version = version,
      .footer = footer};
}

struct CommandTree {
  Arguments program;
  CommonOptions common = {};
  struct Entry {
    Arguments* arguments = nullptr;
    CommandRun run;
  };
  std::vector<Entry> entries = {};  // one a command
};

void add_common(Arguments& arguments, CommonOptions& common, const Command& command) {
  constexpr std::string_view group = "Common options";
  arguments.text(common.config, {.name = "--config",
                                 .help = "The configuration to use (hearth.yaml)",
                                 .type = "FILE",
                                 .group = group});
  if (command.is_client) {
    arguments.text(common.url, {.name = "--url",
                                .help = "The daemon: http://HOST:PORT or unix:PATH",
                                .type = "URL",
                                .group = group});
  }
  if (command.is_json) {
    arguments.flag(common.is_json, {.name = "--json", .help = "Print JSON", .group = group});
  }
}

void declare_all(CommandTree& tree) {
  tree.program.require_command();
  tree.program.text(
      tree.common.config,
      {.name = "--config", .help = "The configuration to use (hearth.yaml)", .type = "FILE"});
  tree.program.text(
      tree.common.url,
      {.name = "--url", .help = "The daemon: http://HOST:PORT or unix:PATH", .type = "URL"});
  // Help lists groups in the order in which their first command was added.
  for (const CommandGroup group : groups) {
    for (const NamedCommand& row : commands()) {
      if (row.command->group != group) continue;
      Arguments& arguments = tree.program.command(
          {.name = row.name, .summary = row.command->summary, .group = title_of(group)});
      CommandRun run = row.command->declare(arguments);
      add_common(arguments, tree.common, *row.command);
      tree.entries.push_back({&arguments, std::move(run)});
    }
  }
}

// The first word that is not an option, when it names no command.
std::optional<std::string> unknown_command(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--config" || word == "--url") {
      ++i;
    } else if (!word.starts_with("-")) {
      const bool is_known = std::ranges::any_of(
          commands(), [&](const NamedCommand& row) { return row.name == word; });
      return is_known ? std::nullopt : std::optional{word};
    }
  }
  return std::nullopt;
}

int tell_unknown_command(const std::string& word, std::ostream& err) {
  std::vector<std::string> names;
  for (const NamedCommand& row : commands()) names.emplace_back(row.name);
  err << "hearth: there is no command `" << printable(word) << "`";
  const auto near = near_names(word, names);
  if (!near.empty()) err << ": did you mean `" << near.front() << "`?";
  err << "\n`hearth --help` lists the commands.\n";
  return 2;
}

int run_entry(CommandTree& tree, CommandTree::Entry& entry,
              const std::vector<std::string>& arguments, const Streams& streams) {
  Console console{streams, tree.common, tree.program, arguments};
  const Result<int> code = entry.run(console);
  streams.out.flush();
  if (code) return *code;
  if (tree.common.is_json) {
    const int exit_code = console.exit_code_of(code.error());
    console.print(OrderedJson{{"error", std::string{name_of(code.error().code)}},
                              {"detail", code.error().detail},
                              {"exit_code", exit_code}});
    streams.out.flush();
  }
  streams.err << "hearth " << entry.arguments->name() << ": " << code.error().detail << "\n";
  return console.exit_code_of(code.error());
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, Streams streams) {
  if (const auto word = unknown_command(arguments)) {
    return tell_unknown_command(*word, streams.err);
  }
  const std::string version = "hearth " + std::string{hearth_version()};
  CommandTree tree{Arguments{program_of(version)}};
  declare_all(tree);
  if (arguments.empty()) {
    streams.err << tree.program.help();
    return 2;
  }
  const Parsing parsing = tree.program.parse(arguments);
  if (parsing.outcome == Parsing::Outcome::answered) {
    streams.out << parsing.text;
    return 0;
  }
  if (parsing.outcome == Parsing::Outcome::wrong) {
    const std::string name = parsing.command.empty() ? "" : " " + parsing.command;
    streams.err << "hearth" << name << ": " << printable(parsing.text) << "\n`hearth" << name
                << " --help` says what it takes.\n";
    return 2;
  }
  for (CommandTree::Entry& entry : tree.entries) {
    if (entry.arguments->is_given()) return run_entry(tree, entry, arguments, streams);
  }
  return 2;
}

std::string_view hearth_version() { return HEARTH_VERSION; }

}  // namespace hearth

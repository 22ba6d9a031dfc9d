#include "cli/app.h"

#include <algorithm>
#include <array>
#include <ostream>

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

constexpr std::array groups{CommandGroup::daemon, CommandGroup::components, CommandGroup::insight,
                            CommandGroup::configuration, CommandGroup::tools};

void add_common(CLI::App& app, CommonOptions& common, const Command& command) {
  app.add_option("--config", common.config, "The configuration to use (hearth.yaml)")
      ->type_name("FILE")
      ->group("Common options");
  if (command.is_client) {
    app.add_option("--url", common.url, "The daemon: http://HOST:PORT or unix:PATH")
        ->type_name("URL")
        ->group("Common options");
  }
  if (command.is_json) {
    app.add_flag("--json", common.is_json, "Print JSON")->group("Common options");
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

// The library's word for a number that is none says nothing of what is wanted.
std::string usage_text(const CLI::Error& error) {
  std::string text = error.what();
  const auto* conversion = dynamic_cast<const CLI::ConversionError*>(&error);
  constexpr std::string_view lead = "Could not convert: ";
  const std::size_t equals = text.find(" = ");
  if (conversion == nullptr || !text.starts_with(lead) || equals == std::string::npos) return text;
  return text.substr(lead.size(), equals - lead.size()) +
         " takes a whole number, 0 or more, not `" + text.substr(equals + 3) + "`";
}

int run_entry(CommandTree& tree, CommandTree::Entry& entry,
              const std::vector<std::string>& arguments, const Streams& streams) {
  Console console{streams, tree.common, tree.app, arguments};
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
  streams.err << "hearth " << entry.app->get_name() << ": " << code.error().detail << "\n";
  return console.exit_code_of(code.error());
}

}  // namespace

CommandTree::CommandTree()
    : app{"Keeps heavy components warm just before they are needed, inside a memory budget.",
          "hearth"} {
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", "hearth " + std::string{hearth_version()},
                       "Print the version and exit");
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);
  app.get_formatter()->label("REQUIRED", "");
  app.get_formatter()->label("OPTIONS", "options");
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.add_option("--config", common.config, "The configuration to use (hearth.yaml)")
      ->type_name("FILE");
  app.add_option("--url", common.url, "The daemon: http://HOST:PORT or unix:PATH")
      ->type_name("URL");
  app.footer(
      "`hearth COMMAND --help` says more about one. The configuration is the first of\n"
      "--config, HEARTH_CONFIG, XDG_CONFIG_HOME/hearth/hearth.yaml and\n"
      "/etc/hearth/hearth.yaml. Exit codes: 0 done, 1 refused or failed, 2 usage,\n"
      "3 configuration, 4 no daemon, 5 timed out.");
  // Help lists groups in the order in which their first command was added.
  for (const CommandGroup group : groups) {
    for (const NamedCommand& row : commands()) {
      if (row.command->group != group) continue;
      CLI::App* sub = app.add_subcommand(std::string{row.name}, std::string{row.command->summary});
      sub->group(std::string{title_of(group)});
      sub->set_help_flag("-h,--help", "Print this and exit");
      CommandRun run = row.command->declare(*sub);
      add_common(*sub, common, *row.command);
      entries.push_back({sub, std::move(run)});
    }
  }
}

int run_command_line(const std::vector<std::string>& arguments, Streams streams) {
  if (const auto word = unknown_command(arguments)) {
    return tell_unknown_command(*word, streams.err);
  }
  CommandTree tree;
  if (arguments.empty()) {
    streams.err << tree.app.help();
    return 2;
  }
  try {
    std::vector<std::string> reversed{arguments.rbegin(), arguments.rend()};
    tree.app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    CLI::App* shown = &tree.app;
    while (!shown->get_subcommands().empty()) shown = shown->get_subcommands().front();
    streams.out << shown->help();
    return 0;
  } catch (const CLI::CallForVersion& version) {
    streams.out << version.what() << "\n";
    return 0;
  } catch (const CLI::Error& error) {
    const auto chosen = tree.app.get_subcommands();
    const std::string name = chosen.empty() ? "" : " " + chosen.front()->get_name();
    streams.err << "hearth" << name << ": " << printable(usage_text(error)) << "\n`hearth" << name
                << " --help` says what it takes.\n";
    return 2;
  }
  for (CommandTree::Entry& entry : tree.entries) {
    if (entry.app->parsed()) return run_entry(tree, entry, arguments, streams);
  }
  return 2;
}

std::string_view hearth_version() { return HEARTH_VERSION; }

}  // namespace hearth

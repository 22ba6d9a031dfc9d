#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace hearth {
namespace {

constexpr const char* help_names = "-h,--help";
constexpr const char* help_help = "Print this and exit";

std::string joined(const std::vector<std::string_view>& words, std::string_view separator) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

void add_choices(CLI::Option& option, const std::vector<std::string_view>& choices) {
  const std::vector<std::string> words{choices.begin(), choices.end()};
  const std::string all = joined(choices, ", ");
  option.check(CLI::Validator{[words, all](std::string& word) {
                                const bool is_known = std::ranges::find(words, word) != words.end();
                                return is_known ? std::string{}
                                                : "`" + word + "` is none of " + all;
                              },
                              ""});
  option.type_name(joined(choices, "|"));
}

template <typename Value>
void add_option(CLI::App& app, Value& value, const Argument& argument) {
  CLI::Option& option =
      *app.add_option(std::string{argument.name}, value, std::string{argument.help});
  option.required(argument.is_required)->type_name(std::string{argument.type});
  if (!argument.choices.empty()) add_choices(option, argument.choices);
  if (!argument.group.empty()) option.group(std::string{argument.group});
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

Outline::Entry entry_of(const CLI::Option& option) {
  Outline::Entry entry{.type = option.get_type_name(),
                       .help = option.get_description(),
                       .has_value = option.get_items_expected_max() != 0};
  for (const std::string& name : option.get_snames()) entry.spellings.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) entry.spellings.push_back("--" + name);
  if (option.get_positional()) entry.place = option.get_name(true);
  return entry;
}

Outline outline_of(const CLI::App& app) {
  Outline outline{.name = app.get_name(), .summary = app.get_description()};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) outline.entries.push_back(entry_of(*option));
  }
  const auto commands =
      app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
  for (const CLI::App* sub : commands) outline.commands.push_back(outline_of(*sub));
  return outline;
}

}  // namespace

Arguments::Arguments(const Program& program)
    : program_{std::make_unique<CLI::App>(std::string{program.summary}, std::string{program.name})},
      app_{*program_} {
  app_.set_help_flag(help_names, help_help);
  app_.set_version_flag("--version", std::string{program.version}, "Print the version and exit");
  app_.get_formatter()->column_width(26);
  app_.get_formatter()->label("REQUIRED", "");
  app_.get_formatter()->label("OPTIONS", "options");
  app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app_.footer(std::string{program.footer});
}

Arguments::Arguments(CLI::App& app) : app_{app} {}

Arguments::~Arguments() = default;

void Arguments::text(std::string& value, const Argument& argument) {
  add_option(app_, value, argument);
}

void Arguments::list(std::vector<std::string>& values, const Argument& argument) {
  add_option(app_, values, argument);
}

void Arguments::flag(bool& value, const Argument& argument) {
  CLI::Option* option =
      app_.add_flag(std::string{argument.name}, value, std::string{argument.help});
  if (!argument.group.empty()) option->group(std::string{argument.group});
}

void Arguments::number(std::uint32_t& value, const Argument& argument) {
  add_option(app_, value, argument);
}

void Arguments::number(std::uint64_t& value, const Argument& argument) {
  add_option(app_, value, argument);
}

void Arguments::number(std::optional<std::uint64_t>& value, const Argument& argument) {
  add_option(app_, value, argument);
}

Arguments& Arguments::command(const Subcommand& subcommand) {
  CLI::App& sub =
      *app_.add_subcommand(std::string{subcommand.name}, std::string{subcommand.summary});
  if (!subcommand.group.empty()) sub.group(std::string{subcommand.group});
  sub.fallthrough(subcommand.is_outer_taken);
  sub.set_help_flag(help_names, help_help);
  return *commands_.emplace_back(new Arguments{sub});
}

void Arguments::require_command() { app_.require_subcommand(1); }

void Arguments::allow_other_words() { app_.allow_extras(); }

Parsing Arguments::parse(const std::vector<std::string>& words) {
  try {
    std::vector<std::string> reversed{words.rbegin(), words.rend()};
    app_.parse(reversed);
    return {};
  } catch (const CLI::CallForHelp&) {
    const CLI::App* shown = &app_;
    while (!shown->get_subcommands().empty()) shown = shown->get_subcommands().front();
    return {.outcome = Parsing::Outcome::answered, .text = shown->help()};
  } catch (const CLI::CallForVersion& version) {
    return {.outcome = Parsing::Outcome::answered, .text = std::string{version.what()} + "\n"};
  } catch (const CLI::Error& error) {
    const auto chosen = app_.get_subcommands();
    return {.outcome = Parsing::Outcome::wrong,
            .text = usage_text(error),
            .command = chosen.empty() ? "" : chosen.front()->get_name()};
  }
}

bool Arguments::is_given() const { return app_.parsed(); }

std::string Arguments::name() const { return app_.get_name(); }

std::string Arguments::help() const { return app_.help(); }

Outline Arguments::outline() const { return outline_of(app_); }

}  // namespace hearth

// What the command line prints, compared with committed files.
//
// HEARTH_GOLDEN_UPDATE=1 writes the files anew; read the difference before committing it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"
#include "cli/component_table.h"
#include "cli/status_text.h"
#include "cli/why_text.h"

namespace hearth {
namespace {

const std::string here = std::string{HEARTH_SOURCE_DIR} + "/tests/golden";

std::string file_text(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = here + "/expected/" + name + ".txt";
  if (std::getenv("HEARTH_GOLDEN_UPDATE") != nullptr) {
    std::ofstream{path, std::ios::binary} << text;
    return;
  }
  ASSERT_TRUE(std::filesystem::exists(path))
      << path << " is missing: HEARTH_GOLDEN_UPDATE=1 writes it";
  EXPECT_EQ(text, file_text(path)) << "in " << path;
}

// Standard output, then standard error, then the exit code, of `hearth ARGUMENTS` run beside the
// committed configurations, in an empty environment and without a terminal.
std::string run(const std::string& arguments) {
  const std::string command = "cd " + here + "/configs && { env -i PATH=/usr/bin:/bin " +
                              "HOME=/nonexistent " + HEARTH_BINARY + " " + arguments +
                              " 2>&1 1>&3 3>&- | sed \"s/^/err: /\"; exit ${PIPESTATUS[0]}; } 3>&1";
  FILE* pipe = ::popen(("bash -c '" + command + "' </dev/null").c_str(), "r");
  std::string text;
  std::array<char, 4096> buffer{};
  std::size_t got = 0;
  while ((got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    text.append(buffer.data(), got);
  }
  const int status = ::pclose(pipe);
  return text + "exit code " + std::to_string(WEXITSTATUS(status)) + "\n";
}

class HelpOf : public testing::TestWithParam<std::string> {};

TEST_P(HelpOf, IsAsCommitted) { expect_golden("help_" + GetParam(), run(GetParam() + " --help")); }

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const NamedCommand& row : commands()) names.emplace_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Commands, HelpOf, testing::ValuesIn(command_names()),
                         [](const auto& row) { return row.param; });

TEST(Help, ListsEveryCommandByWhatItIsFor) { expect_golden("help", run("--help")); }

TEST(Usage, AnUnknownCommandIsToldWithANearOne) { expect_golden("usage_unknown", run("lod ocr")); }
TEST(Usage, AnUnknownOptionIsNamed) { expect_golden("usage_option", run("ps --wach")); }
TEST(Usage, AMissingArgumentIsNamed) { expect_golden("usage_missing", run("load")); }
TEST(Usage, NoCommandAtAllPrintsTheHelp) { expect_golden("usage_none", run("")); }
TEST(Usage, ADurationThatIsNoneIsRefusedBeforeAnythingIsAsked) {
  expect_golden("usage_duration", run("load ocr --timeout soon"));
}
TEST(Usage, ANumberThatIsNoneIsToldWithWhatIsWanted) {
  expect_golden("usage_number", run("why ocr --limit -1"));
}
TEST(Usage, AnEmptyNameIsRefusedBeforeAnythingIsAsked) {
  expect_golden("usage_empty_name", run("why \"\""));
}
TEST(Usage, ADayThatIsTooShortIsRefused) {
  expect_golden("usage_short_day", run("sim --virtual 9m"));
}
TEST(Usage, WithoutAConfigurationItSaysWhereItLooked) {
  expect_golden("usage_no_config", run("config show"));
}

class ConfigCheckOf : public testing::TestWithParam<std::string> {};

TEST_P(ConfigCheckOf, SaysWhatItSaid) {
  expect_golden("config_" + GetParam(), run("config check " + GetParam() + ".yaml"));
}

std::vector<std::string> config_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{here + "/configs"}) {
    names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Files, ConfigCheckOf, testing::ValuesIn(config_names()),
                         [](const auto& row) { return row.param; });

TEST(ConfigCheck, AFileThatIsNotThereIsNamed) {
  expect_golden("config_check_missing_file", run("config check nowhere.yaml"));
}
TEST(ConfigCheck, WarningsAreErrorsWhenStrict) {
  expect_golden("config_check_strict", run("config check --strict missing_program.yaml"));
}
TEST(ConfigCheck, IsJsonWhenAskedTo) {
  expect_golden("config_check_json", run("config check unknown_key.yaml --json"));
}
TEST(Import, PrintsAConfigurationAndSaysWhatIsNotInIt) {
  expect_golden("import_llama_swap", run("import llama-swap ../imports/llama-swap.yaml"));
  expect_golden("import_jarvis", run("import jarvis ../imports/components.json"));
}
TEST(Import, AFileThatIsWrongIsToldWholeAndNothingIsPrinted) {
  expect_golden("import_wrong", run("import llama-swap ../imports/wrong.yaml"));
  expect_golden("import_wrong_json", run("import llama-swap ../imports/wrong.yaml --json"));
  expect_golden("import_wrong_kind", run("import llama-swap ../imports/components.json"));
  expect_golden("import_missing_file", run("import jarvis nowhere.json"));
}
TEST(Graph, IsDrawnFromTheConfigurationWhenNoDaemonRuns) {
  expect_golden("graph", run("graph --config valid.yaml"));
  expect_golden("graph_dot", run("graph --dot --config valid.yaml"));
}

TEST(Completions, AreMadeOfTheTreeOfCommands) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    expect_golden("completions_" + shell, run("completions " + shell));
  }
}

OrderedJson components() {
  return OrderedJson::parse(file_text(here + "/answers/components.json"));
}
std::int64_t noon() { return 1769860800000; }

TEST(Rendering, ComponentsAreATable) {
  const Table table = component_table(components()["components"], noon());
  expect_golden("table_components", table.render());
  expect_golden("table_components_80", table.render({.width = 80}));
  expect_golden("table_components_colour", table.render({.has_colour = true}));
}

TEST(Rendering, StatusIsAFactALine) {
  const auto status = OrderedJson::parse(file_text(here + "/answers/status.json"));
  expect_golden("status", status_text(status, "http://127.0.0.1:7411", false));
}

TEST(Rendering, AStatusWithoutWaitsAndUsesSaysSo) {
  const std::string text = status_text(OrderedJson{{"totals", {{"uses", 0}}}}, "here", false);
  EXPECT_NE(text.find("no waits yet; no uses yet"), std::string::npos) << text;
}

TEST(Rendering, WhyNamesTheDecisionBehindTheState) {
  const auto answer = OrderedJson::parse(file_text(here + "/answers/decisions.json"));
  std::string text;
  const auto all = components();
  for (const auto& row : all["components"]) {
    text += why_text(row, answer["decisions"], noon()) + "\n";
  }
  expect_golden("why", text);
}

}  // namespace
}  // namespace hearth

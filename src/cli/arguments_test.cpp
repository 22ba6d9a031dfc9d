#include "cli/arguments.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

struct Taken {
  std::string text = "before";
  std::vector<std::string> list;
  bool flag = false;
  std::uint32_t small = 20;
  std::uint64_t large = 0;
  std::optional<std::uint64_t> maybe;
  std::string choice;
};

// `tool run` with one argument of each kind, and `tool run inner`, which takes nothing of its own.
struct Tool {
  Arguments program{
      {.name = "tool", .summary = "Does it", .version = "tool 1", .footer = "Read on."}};
  Arguments& run{program.command({.name = "run", .summary = "Run it", .group = "Doing"})};
  Arguments& inner{run.command({.name = "inner", .summary = "The inside", .is_outer_taken = true})};
  Taken taken;

  Tool() {
    program.require_command();
    run.text(taken.text, {.name = "--text", .help = "A text", .type = "TEXT"});
    run.flag(taken.flag, {.name = "-f,--flag", .help = "A flag", .group = "Others"});
    run.number(taken.small, {.name = "--small", .help = "A number", .type = "N"});
    run.number(taken.large, {.name = "--large", .help = "A number", .type = "N"});
    run.number(taken.maybe, {.name = "--maybe", .help = "A number", .type = "N"});
    run.text(taken.choice, {.name = "--choice", .help = "A word", .choices = {"a", "b"}});
    run.list(taken.list, {.name = "names", .help = "Which", .type = "NAME", .is_required = true});
  }
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;

  Parsing parse(const std::vector<std::string>& words) { return program.parse(words); }
  std::string trouble(const std::vector<std::string>& words) {
    const Parsing parsing = parse(words);
    return parsing.outcome == Parsing::Outcome::wrong ? parsing.command + ": " + parsing.text : "";
  }
};

TEST(Arguments, AreWrittenWhereTheyWereBoundAndTheRestStaysAsItWas) {
  Tool tool;
  const Parsing parsing =
      tool.parse({"run", "x", "-f", "--large", "5000000000", "--maybe=3", "--choice", "b", "y"});
  EXPECT_EQ(parsing.outcome, Parsing::Outcome::run);
  EXPECT_TRUE(tool.run.is_given());
  EXPECT_FALSE(tool.inner.is_given());
  EXPECT_EQ(tool.taken.list, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(tool.taken.flag);
  EXPECT_EQ(tool.taken.large, 5000000000U);
  EXPECT_EQ(tool.taken.maybe, 3U);
  EXPECT_EQ(tool.taken.choice, "b");
  EXPECT_EQ(tool.taken.text, "before");
  EXPECT_EQ(tool.taken.small, 20U);
}

TEST(Arguments, OptionsOfTheOuterCommandMayFollowAnInnerThatTakesThem) {
  Tool tool;
  EXPECT_EQ(tool.trouble({"run", "x", "inner", "--text", "after"}), "");
  EXPECT_TRUE(tool.inner.is_given());
  EXPECT_EQ(tool.taken.text, "after");
}

TEST(Arguments, WhatIsWrongIsSaidInOneLineWithItsCommand) {
  EXPECT_EQ(Tool{}.trouble({"run"}), "run: names is required");
  EXPECT_EQ(Tool{}.trouble({"run", "x", "--small", "-1"}),
            "run: --small takes a whole number, 0 or more, not `-1`");
  EXPECT_EQ(Tool{}.trouble({"run", "x", "--small", "4294967296"}),
            "run: --small takes a whole number, 0 or more, not `4294967296`");
  EXPECT_EQ(Tool{}.trouble({"run", "x", "--choice", "c"}), "run: --choice: `c` is none of a, b");
  EXPECT_EQ(Tool{}.trouble({"run", "x", "--none"}),
            "run: The following argument was not expected: --none");
  EXPECT_EQ(Tool{}.trouble({}), ": A subcommand is required");
}

TEST(Arguments, WordsThatNothingWasDeclaredForPassWhereTheyAreAllowed) {
  Tool tool;
  tool.run.allow_other_words();
  EXPECT_EQ(tool.trouble({"run", "x", "--none"}), "");
}

TEST(Arguments, HelpAndTheVersionAreAnswers) {
  const Parsing help = Tool{}.parse({"run", "--help"});
  EXPECT_EQ(help.outcome, Parsing::Outcome::answered);
  EXPECT_TRUE(help.text.starts_with("Run it\nUsage: run [options]")) << help.text;
  const Parsing version = Tool{}.parse({"--version"});
  EXPECT_EQ(version.outcome, Parsing::Outcome::answered);
  EXPECT_EQ(version.text, "tool 1\n");
  EXPECT_NE(Tool{}.program.help().find("Read on."), std::string::npos);
}

TEST(Arguments, TheOutlineSaysWhatParseTakes) {
  const Outline outline = Tool{}.program.outline();
  ASSERT_EQ(outline.commands.size(), 1U);
  const Outline& run = outline.commands[0];
  EXPECT_EQ(run.name, "run");
  EXPECT_EQ(run.summary, "Run it");
  ASSERT_EQ(run.commands.size(), 1U);
  EXPECT_EQ(run.commands[0].name, "inner");
  ASSERT_EQ(run.entries.size(), 8U);
  EXPECT_EQ(run.entries[0].spellings, (std::vector<std::string>{"-h", "--help"}));
  EXPECT_EQ(run.entries[2].spellings, (std::vector<std::string>{"-f", "--flag"}));
  EXPECT_FALSE(run.entries[2].has_value);
  EXPECT_EQ(run.entries[6].type, "a|b");
  EXPECT_TRUE(run.entries[6].has_value);
  EXPECT_EQ(run.entries[7].place, "names");
  EXPECT_TRUE(run.entries[7].spellings.empty());
}

}  // namespace
}  // namespace hearth

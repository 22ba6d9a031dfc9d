#include "runtime/chronicle.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(CommandNote, KeepsOfATextWhatTheConfigurationLets) {
  const CommandNote kept = make_note("Read this", "desk", Config::HistoryText::keep);
  EXPECT_EQ(kept.text, "Read this");
  EXPECT_EQ(kept.features, "");
  const CommandNote hashed = make_note("Read this", "desk", Config::HistoryText::features);
  EXPECT_EQ(hashed.text, "");
  EXPECT_NE(hashed.features, "");
  const CommandNote none = make_note("Read this", "desk", Config::HistoryText::none);
  EXPECT_EQ(none, (CommandNote{.session = "desk", .text = "", .features = ""}));
}

TEST(CommandNote, OneWordInEitherCaseHasOneFeatureInEveryScript) {
  const auto features = [](std::string_view text) {
    return make_note(text, "", Config::HistoryText::features).features;
  };
  EXPECT_EQ(features("\u00c9"), features("\u00e9"));
  EXPECT_EQ(features("\u00c9COLE"), features("e\u0301cole"));
  EXPECT_NE(features("\u00e9"), features("e"));
}

TEST(CommandNote, ComesBackAsItWas) {
  const CommandNote note{.session = "desk", .text = std::string{"a\0b", 3}, .features = "12 34"};
  EXPECT_EQ(decode_note(encode_note(note)), note);
  EXPECT_EQ(decode_note(""), CommandNote{});
  EXPECT_EQ(decode_note(encode_note(note) + "x"), CommandNote{});
}

}  // namespace
}  // namespace hearth

#include "cli/table.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

Table fruits() {
  Table table{{{"NAME"}, {"MEMORY", true}, {"NOTE"}}};
  table.add({"ocr", "12.3 MiB", "reads pages"});
  table.add({"speech", "9 MiB", ""});
  return table;
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCellAndLinesEndWithoutBlanks) {
  EXPECT_EQ(fruits().render(),
            "NAME      MEMORY  NOTE\n"
            "ocr     12.3 MiB  reads pages\n"
            "speech     9 MiB\n");
}

TEST(Table, TheLastColumnIsCutToTheWidthOfTheTerminal) {
  EXPECT_EQ(fruits().render({.width = 26}),
            "NAME      MEMORY  NOTE\n"
            "ocr     12.3 MiB  reads...\n"
            "speech     9 MiB\n");
}

TEST(Table, ColourIsAddedOnlyWhenAskedForAndDoesNotCountAsWidth) {
  Table table{{{"A"}, {"B"}}};
  table.add({Cell{"x", Colour::red}, "y"});
  EXPECT_EQ(table.render(), "A  B\nx  y\n");
  EXPECT_EQ(table.render({.has_colour = true}),
            "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[31mx\x1b[0m  y\n");
}

TEST(Table, CountsCodePointsRatherThanBytes) {
  Table table{{{"A"}, {"B"}}};
  table.add({"h\xC3\xA9", "1"});
  table.add({"abc", "2"});
  EXPECT_EQ(table.render(), "A    B\nh\xC3\xA9   1\nabc  2\n");
}

TEST(Table, ControlCharactersAndBrokenBytesNeverReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n\xFFz\xC2\x9B"), "a?[31mb??z?");
}

TEST(Figures, SizesHaveThreeDigitsAtMostAndSayTheirUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(99.96 * 1024 * 1024), "100 MiB");
  EXPECT_EQ(human_bytes(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
}

TEST(Figures, SpansGrowCoarserAsTheyGrowLonger) {
  EXPECT_EQ(human_span(0.42), "0.4 ms");
  EXPECT_EQ(human_span(126), "126 ms");
  EXPECT_EQ(human_span(1250), "1.25 s");
  EXPECT_EQ(human_span(45'000), "45.0 s");
  EXPECT_EQ(human_span(200'000), "3 m 20 s");
  EXPECT_EQ(human_span(7'500'000), "2 h 5 m");
  EXPECT_EQ(human_span(90'000'000), "1 d 1 h");
}

}  // namespace
}  // namespace hearth

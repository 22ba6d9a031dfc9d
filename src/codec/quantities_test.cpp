#include <gtest/gtest.h>

#include "codec/config.h"

namespace hearth {
namespace {

struct SizeRow {
  const char* text;
  std::optional<std::uint64_t> bytes;
};

TEST(Quantities, SizesHaveDecimalAndBinaryUnits) {
  const std::vector<SizeRow> rows{
      {"512", 512},
      {"512B", 512},
      {"1KB", 1000},
      {"1KiB", 1024},
      {"1.5GiB", 1610612736},
      {"300 MB", 300'000'000},
      {"8gib", 8ULL << 30},
      {"0.25KB", 250},
      {"2TiB", 2ULL << 40},
      {"0", 0},
      {" 7 ", 7},
      {"", {}},
      {"-1", {}},
      {"1.", {}},
      {".5GiB", {}},
      {"1GiBx", {}},
      {"1e3", {}},
      {"99999999999999999999", {}},
      {"9999999999TiB", {}},
      {"lots", {}},
      {"8G", {}},
      {"1.0000000000000000001KB", {}},
  };
  for (const SizeRow& row : rows) {
    const auto bytes = parse_bytes(row.text);
    EXPECT_EQ(bytes ? std::optional{bytes->count} : std::nullopt, row.bytes) << row.text;
  }
  EXPECT_EQ(parse_bytes("unlimited"), Bytes::unlimited());
}

TEST(Quantities, SizesAreShownExactlyOrToThreeDigits) {
  EXPECT_EQ(format_bytes(0_MiB), "0B");
  EXPECT_EQ(format_bytes(Bytes{999}), "999B");
  EXPECT_EQ(format_bytes(8_GiB), "8GiB");
  EXPECT_EQ(format_bytes(1536_MiB), "1.5GiB");
  EXPECT_EQ(format_bytes(300_MB), "300MB");
  EXPECT_EQ(format_bytes(Bytes{1'234'567}), "1.18MiB");
  EXPECT_EQ(format_bytes(Bytes{123'456'789}), "118MiB");
  EXPECT_EQ(format_bytes(Bytes::unlimited()), "unlimited");
}

TEST(Quantities, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration("100ms"), Duration{100ms});
  EXPECT_EQ(parse_duration("5s"), Duration{5s});
  EXPECT_EQ(parse_duration("1.5s"), Duration{1500ms});
  EXPECT_EQ(parse_duration("1h30m"), Duration{90min});
  EXPECT_EQ(parse_duration("2d"), Duration{48h});
  EXPECT_EQ(parse_duration("0"), Duration{0});
  for (const char* bad : {"", "5", "s", "-5s", "5 parsecs", "1m1h", "1s1s", "999999999999h"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(Quantities, DurationsAreShownAsAPersonSaysThem) {
  EXPECT_EQ(format_duration(Duration{0}), "0s");
  EXPECT_EQ(format_duration(100ms), "100ms");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(Duration{1'234'567'890}), "1.23s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(-5s), "-5s");
  EXPECT_EQ(format_duration(Duration::min()).front(), '-');
}

TEST(Words, CommandsAreSplitAsAShellQuotes) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(split_command("a  b\tc").value(), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_command("a 'b c' \"d e\"").value(), (Words{"a", "b c", "d e"}));
  EXPECT_EQ(split_command("a\\ b").value(), (Words{"a b"}));
  EXPECT_EQ(split_command("x '' \"\"").value(), (Words{"x", "", ""}));
  EXPECT_EQ(split_command("\"a\\\"b\\n\"").value(), (Words{"a\"b\\n"}));
  EXPECT_EQ(split_command("'a\\b'c").value(), (Words{"a\\bc"}));
  EXPECT_EQ(split_command("$HOME *").value(), (Words{"$HOME", "*"}));
  EXPECT_EQ(split_command("").value(), Words{});
  EXPECT_EQ(split_command("a 'b").error().code, Errc::invalid);
  EXPECT_EQ(split_command("a \"b").error().code, Errc::invalid);
  EXPECT_EQ(split_command("a\\").error().code, Errc::invalid);
}

TEST(Words, NearNamesAreWithinAThirdOfTheirLength) {
  const std::vector<std::string> names{"needs", "memory", "keywords", "ocr"};
  EXPECT_EQ(near_names("need", names), std::vector<std::string>{"needs"});
  EXPECT_EQ(near_names("mmeory", names), std::vector<std::string>{"memory"});
  EXPECT_EQ(near_names("Keyword", names), std::vector<std::string>{"keywords"});
  EXPECT_EQ(near_names("orc", names), std::vector<std::string>{"ocr"});
  EXPECT_TRUE(near_names("translation", names).empty());
  EXPECT_TRUE(near_names("", names).empty());
  EXPECT_TRUE(near_names(std::string(100'000, 'a'), names).empty());
}

}  // namespace
}  // namespace hearth

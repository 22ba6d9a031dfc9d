#include "cli/times.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(Times, ReadsInstantsOfTheApiAndNothingElse) {
  EXPECT_EQ(unix_ms_of("1970-01-01T00:00:01.250Z"), 1250);
  EXPECT_EQ(unix_ms_of("2026-01-31T12:00:00.000Z"), 1769860800000);
  EXPECT_FALSE(unix_ms_of("2026-01-31 12:00:00"));
  EXPECT_FALSE(unix_ms_of(""));
}

TEST(Times, SaysHowLongAgoAndNeverLessThanNothing) {
  EXPECT_EQ(ago("1970-01-01T00:00:10.000Z", 22'000), "12.0 s ago");
  EXPECT_EQ(ago("1970-01-01T00:00:10.000Z", 5'000), "0.0 ms ago");
  EXPECT_EQ(ago("", 5'000), "-");
}

TEST(Times, ASpanOfAnOptionIsADayAtMostAndTheErrorNamesTheOption) {
  EXPECT_EQ(duration_option("24h", "--lease").value(), Duration{24h});
  EXPECT_EQ(duration_option("25h", "--lease").error().detail,
            "--lease takes a day (24h) at most, not 25h");
  EXPECT_EQ(duration_option("soon", "--lease").error().code, Errc::invalid);
}

}  // namespace
}  // namespace hearth

#include "runtime/lines.h"

#include <gtest/gtest.h>

#include <string>

namespace hearth {
namespace {

TEST(Lines, ANumberIsThatOfAWholeKey) {
  const std::string text = "low 0\nhigh 12\noom 0\noom_kill 3\noom_group_kill 1\n";
  EXPECT_EQ(number_for(text, "high"), 12U);
  EXPECT_EQ(number_for(text, "oom"), 0U);
  EXPECT_EQ(number_for(text, "oom_kill"), 3U);
  EXPECT_FALSE(number_for(text, "oom_"));
  EXPECT_FALSE(number_for("", "oom"));
  EXPECT_FALSE(number_for("oom_kill", "oom_kill"));
}

TEST(Lines, AKeyMayHaveAColon) {
  const std::string text = "VmSwap:\t      72 kB\nVmSwapped:  9 kB\n";
  EXPECT_EQ(number_for(text, "VmSwap"), 72U);
}

}  // namespace
}  // namespace hearth

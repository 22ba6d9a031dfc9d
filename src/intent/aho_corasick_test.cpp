#include "intent/aho_corasick.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "base/prng.h"

namespace hearth {
namespace {

using Match = std::tuple<std::size_t, std::size_t, std::uint32_t>;  // end, begin, value

std::vector<Match> naive(const std::vector<std::string>& patterns, const std::string& text) {
  std::vector<Match> found;
  for (std::size_t end = 1; end <= text.size(); ++end) {
    for (std::size_t begin = 0; begin < end; ++begin) {
      for (std::uint32_t i = 0; i < patterns.size(); ++i) {
        if (text.substr(begin, end - begin) == patterns[i]) found.emplace_back(end, begin, i);
      }
    }
  }
  return found;
}

std::vector<Match> automatic(const std::vector<std::string>& patterns, const std::string& text) {
  AhoCorasick automaton;
  for (std::uint32_t i = 0; i < patterns.size(); ++i) automaton.add(patterns[i], i);
  automaton.build();
  std::vector<Match> found;
  automaton.find(text, [&](std::size_t end, std::uint32_t value) {
    found.emplace_back(end, end - patterns[value].size(), value);
  });
  return found;
}

TEST(AhoCorasick, FindsWhatTheNaiveSearchFindsInTheSameOrder) {
  Prng prng(2);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t letters = 2 + prng.below(3);
    const auto draw = [&](std::uint64_t length) {
      std::string text;
      while (text.size() < length) text.push_back(static_cast<char>('a' + prng.below(letters)));
      return text;
    };
    std::vector<std::string> patterns;
    for (std::uint64_t i = prng.below(8); i > 0; --i) patterns.push_back(draw(prng.below(5)));
    const std::string text = draw(prng.below(20));
    ASSERT_EQ(automatic(patterns, text), naive(patterns, text)) << text;
  }
}

TEST(AhoCorasick, FindsPatternsOfAnyBytes) {
  std::vector<std::string> patterns;
  for (int c = 0; c < 256; ++c) patterns.push_back(std::string(1, static_cast<char>(c)) + "x");
  const std::string text =
      "\xff"
      "x" +
      std::string(1, '\0') + "xax";
  EXPECT_EQ(automatic(patterns, text), naive(patterns, text));
  EXPECT_EQ(automatic(patterns, text).size(), 3u);
}

TEST(AhoCorasick, WithoutPatternsFindsNothing) {
  EXPECT_TRUE(automatic({}, "abc").empty());
  EXPECT_TRUE(automatic({""}, "abc").empty());
}

}  // namespace
}  // namespace hearth

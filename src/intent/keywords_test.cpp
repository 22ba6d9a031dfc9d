#include "intent/keywords.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace hearth {
namespace {

using Scores = std::vector<IntentScore>;

std::vector<Vocabulary> assistant() {
  return {
      {.component = 0,
       .name = "ocr",
       .aliases = {"text-reader"},
       .keywords = {"screen", "screenshot", "read the text"},
       .examples = {"can you see my screen", "what does this picture say"},
       .description = "reads printed text in pictures"},
      {.component = 1,
       .name = "speech",
       .aliases = {},
       .keywords = {"say", "read aloud", "speak"},
       .examples = {"pronounce this sentence loudly"},
       .description = ""},
      {.component = 4,
       .name = "translate",
       .aliases = {},
       .keywords = {"translate", "in french", "french"},
       .examples = {},
       .description = "translation of sentences between languages"},
  };
}

class Keywords : public testing::Test {
 protected:
  [[nodiscard]] Scores classify(std::string_view text) const { return classifier.classify(text); }
  KeywordClassifier classifier{assistant()};
};

TEST_F(Keywords, ADeclaredKeywordIsCertain) {
  EXPECT_EQ(classify("Can you see my SCREEN?"), (Scores{{0, 1.0}}));
  EXPECT_EQ(classify("screen"), (Scores{{0, 1.0}}));
}

TEST_F(Keywords, NothingNeededIsEmpty) {
  EXPECT_TRUE(classify("thank you, that is all").empty());
  EXPECT_TRUE(classify("what time is it?").empty());
  EXPECT_TRUE(classify("").empty());
}

TEST_F(Keywords, MatchWholeWordsOnly) {
  EXPECT_TRUE(classify("I wrote a screenplay").empty());
  EXPECT_TRUE(classify("offscreen").empty());
  EXPECT_EQ(classify("on-screen."), (Scores{{0, 1.0}}));
}

TEST_F(Keywords, MatchPhrasesAcrossPunctuationAndSpaces) {
  EXPECT_EQ(classify("read   the, text"), (Scores{{0, 1.0}}));
  EXPECT_TRUE(classify("read the context").empty());
}

TEST_F(Keywords, FindSeveralComponentsInOneCommand) {
  EXPECT_EQ(classify("translate the screenshot and read aloud"),
            (Scores{{0, 1.0}, {1, 1.0}, {4, 1.0}}));
}

TEST_F(Keywords, FindPhrasesThatShareWords) {
  const KeywordClassifier overlapping(std::vector<Vocabulary>{{.component = 1,
                                                               .name = "x1",
                                                               .aliases = {},
                                                               .keywords = {"read the"},
                                                               .examples = {},
                                                               .description = ""},
                                                              {.component = 2,
                                                               .name = "x2",
                                                               .aliases = {},
                                                               .keywords = {"the screen"},
                                                               .examples = {},
                                                               .description = ""},
                                                              {.component = 3,
                                                               .name = "x3",
                                                               .aliases = {},
                                                               .keywords = {"the"},
                                                               .examples = {},
                                                               .description = ""}});
  EXPECT_EQ(overlapping.classify("read the screen"), (Scores{{1, 1.0}, {2, 1.0}, {3, 1.0}}));
}

TEST_F(Keywords, ANameOrAliasSaidIsLikely) {
  EXPECT_EQ(classify("start OCR now"), (Scores{{0, 0.9}}));
  EXPECT_EQ(classify("start the text reader"), (Scores{{0, 0.9}}));
  EXPECT_EQ(classify("translate"), (Scores{{4, 1.0}})) << "the strongest counts";
}

TEST_F(Keywords, MostOfAnExampleIsDemandAndLessOfItAHint) {
  EXPECT_EQ(classify("pronounce the sentence"), (Scores{{1, 0.6}}));
  EXPECT_EQ(classify("a picture does say it, pronounce loudly"), (Scores{{0, 0.6}, {1, 1.0}}));
  const KeywordClassifier long_example(
      std::vector<Vocabulary>{{.component = 7,
                               .name = "x",
                               .aliases = {},
                               .keywords = {},
                               .examples = {"alpha beta gamma delta epsilon"},
                               .description = ""}});
  EXPECT_EQ(long_example.classify("alpha gamma delta"), (Scores{{7, 0.6}}));
  EXPECT_EQ(long_example.classify("alpha gamma"), (Scores{{7, 0.3}}));
  EXPECT_TRUE(long_example.classify("alpha alpha").empty());
}

TEST_F(Keywords, ADescriptionIsNeverMoreThanAHint) {
  EXPECT_EQ(classify("printed pictures"), (Scores{{0, 0.3}}));
  EXPECT_EQ(classify("reads printed text in pictures"), (Scores{{0, 0.3}}));
  EXPECT_TRUE(classify("languages").empty());
}

TEST_F(Keywords, FunctionWordsOfExamplesSayNothing) {
  EXPECT_TRUE(classify("can you do this for my sister").empty());
}

TEST_F(Keywords, ReadOtherScriptsAndInvalidBytes) {
  const KeywordClassifier worldly(
      std::vector<Vocabulary>{{.component = 0,
                               .name = "ocr",
                               .aliases = {},
                               .keywords = {"屏幕", "スクリーン", "📷"},
                               .examples = {},
                               .description = ""},
                              {.component = 1,
                               .name = "tr",
                               .aliases = {},
                               .keywords = {"\u0130ngilizce", "caf\u00e9"},
                               .examples = {},
                               .description = ""}});
  EXPECT_EQ(worldly.classify("你能看到我的屏幕吗"), (Scores{{0, 1.0}}));
  EXPECT_EQ(worldly.classify("スクリーンを見て"), (Scores{{0, 1.0}}));
  EXPECT_EQ(worldly.classify("look📷"), (Scores{{0, 1.0}}));
  EXPECT_EQ(worldly.classify("ingilizce"), (Scores{{1, 1.0}}));
  EXPECT_EQ(worldly.classify("INGILIZCE"), (Scores{{1, 1.0}}));
  EXPECT_EQ(worldly.classify("cafe\u0301?"), (Scores{{1, 1.0}}));
  EXPECT_EQ(worldly.classify("\xff\xfe caf\u00e9 \x80"), (Scores{{1, 1.0}}));
  EXPECT_TRUE(worldly.classify("屏蔽幕布").empty());
}

TEST_F(Keywords, AKeywordWithoutWordsMatchesNothing) {
  const KeywordClassifier odd(std::vector<Vocabulary>{{.component = 0,
                                                       .name = "ocr",
                                                       .aliases = {""},
                                                       .keywords = {"?", " "},
                                                       .examples = {""},
                                                       .description = "..."}});
  EXPECT_TRUE(odd.classify("what? a . b").empty());
}

TEST_F(Keywords, WithoutComponentsNothingIsNeeded) {
  EXPECT_TRUE(KeywordClassifier{}.classify("can you see my screen").empty());
}

TEST_F(Keywords, AVeryLongTextIsReadUpToItsBound) {
  std::string text;
  while (text.size() < 2 * text_bytes_max) text += "printed pictures sentences languages x ";
  EXPECT_EQ(classify(text), (Scores{{0, 0.3}, {4, 0.3}}));
}

}  // namespace
}  // namespace hearth

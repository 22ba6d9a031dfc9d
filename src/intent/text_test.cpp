#include "intent/text.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"

namespace hearth {
namespace {

TEST(Normalise, LowersAndSplitsAtWhatIsNotAWord) {
  EXPECT_EQ(normalise("Can you see my SCREEN?"), " can you see my screen ");
  EXPECT_EQ(normalise("  mp3,\tplease...\n"), " mp3 please ");
  EXPECT_EQ(normalise("ocr-en_v2"), " ocr en v2 ");
}

TEST(Normalise, GivesOneSpaceForNoWords) {
  EXPECT_EQ(normalise(""), " ");
  EXPECT_EQ(normalise("?! ..."), " ");
  EXPECT_EQ(normalise("\xff\xfe"), " ");
}

TEST(Normalise, ReadsTheFourLettersIOfTurkishAsOne) {
  EXPECT_EQ(normalise("\u0130stanbul"), " istanbul ");
  EXPECT_EQ(normalise("ISI\u011e ISI\u015e \u0131\u015f\u0131k"),
            normalise("isi\u011f isi\u015f i\u015fik"));
}

TEST(Normalise, ReadsComposedAndCombiningAccentsAsOne) {
  EXPECT_EQ(normalise("caf\u00e9"), normalise("cafe\u0301"));
  EXPECT_EQ(normalise("CAF\u00c9"), " caf\u00e9 ");
  EXPECT_NE(normalise("caf\u00e9"), normalise("cafe"));
}

TEST(Normalise, FoldsCompatibilityFormsAndSharpS) {
  EXPECT_EQ(normalise("\uff33\uff23\uff32\uff25\uff25\uff2e"), " screen ");
  EXPECT_EQ(normalise("stra\u00dfe \ufb01le"), " strasse file ");
}

TEST(Normalise, MakesEachLetterAWordWhereNoSpacesAreWritten) {
  EXPECT_EQ(normalise("看我的屏幕"), " 看 我 的 屏 幕 ");
  EXPECT_EQ(normalise("スクリーンを見て"), " スクリーン を 見 て ");
  EXPECT_EQ(normalise("使用OCR吗"), " 使 用 ocr 吗 ");
}

TEST(Normalise, MakesEachEmojiAWord) {
  EXPECT_EQ(normalise("📷photo🎤"), " 📷 photo 🎤 ");
  EXPECT_EQ(normalise("👩\u200d💻"), " 👩 💻 ");
}

TEST(Normalise, SeparatesAtInvalidBytes) {
  EXPECT_EQ(normalise("screen\xff"), " screen ");
  EXPECT_EQ(normalise("\xc3 screen \xed\xa0\x80 \xf4\x90\x80\x80"), " screen ");
  EXPECT_EQ(normalise("scr\x80"
                      "een"),
            " scr een ");
}

TEST(Normalise, ReadsNoFurtherThanTheBound) {
  const std::string text = std::string(text_bytes_max, ' ') + "screen";
  EXPECT_EQ(normalise(text), " ");
  EXPECT_EQ(normalise(std::string(text_bytes_max - 1, ' ') + "\u00e9"), " ");
}

TEST(Normalise, IsTheSameFromAsciiAndFromUnicodeText) {
  const std::string text = "Read THIS text, 3 times: o'clock (now)!";
  const std::string both = normalise(text + " \u00e9");
  EXPECT_EQ(both, normalise(text) + "\u00e9 ");
}

TEST(Normalise, OfANormalFormChangesNothing) {
  Prng prng(5);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      // Code points from the first planes, marks and i's often; some bytes as they come.
      const std::uint64_t draw = prng.below(6);
      std::uint64_t code = prng.below(0x3000);
      if (draw == 1) code = 0x300 + prng.below(0x50);
      if (draw == 2) code = prng.chance(0.5) ? 'i' : 0x130 + prng.below(2);
      if (draw == 3) {
        text.push_back(static_cast<char>(prng.below(256)));
        continue;
      }
      text.push_back(static_cast<char>(0xe0 | code >> 12));
      text.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
      text.push_back(static_cast<char>(0x80 | (code & 0x3f)));
      if (code < 0x800) {
        text.resize(text.size() - 3);
        if (code < 0x80) {
          text.push_back(static_cast<char>(code));
        } else {
          text.push_back(static_cast<char>(0xc0 | code >> 6));
          text.push_back(static_cast<char>(0x80 | (code & 0x3f)));
        }
      }
    }
    const std::string once = normalise(text);
    ASSERT_EQ(normalise(once), once) << testing::PrintToString(text);
    ASSERT_EQ(once.front(), ' ');
    ASSERT_EQ(once.back(), ' ');
    ASSERT_EQ(once.find("  "), std::string::npos);
  }
}

TEST(WordsOf, AreWhatStandsBetweenTheSpaces) {
  EXPECT_EQ(words_of(" can you see "), (std::vector<std::string_view>{"can", "you", "see"}));
  EXPECT_TRUE(words_of(" ").empty());
}

TEST(HashedWords, KeepOrderAndEqualityAndHideTheWords) {
  const std::string hashed = hashed_words("Screen my screen");
  ASSERT_EQ(hashed.size(), 3 * 8 + 2u);
  EXPECT_EQ(hashed.substr(0, 8), hashed.substr(18, 8));
  EXPECT_NE(hashed.substr(0, 8), hashed.substr(9, 8));
  EXPECT_EQ(hashed_words("?"), "");
}

}  // namespace
}  // namespace hearth

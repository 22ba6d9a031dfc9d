#include "core/ledger/learnt_peaks.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace hearth {
namespace {

LearntPeaks lives_of(const std::vector<Bytes>& peaks) {
  LearntPeaks learnt;
  for (const Bytes peak : peaks) {
    learnt.begin();
    learnt.raise(peak);
  }
  return learnt;
}

TEST(LearntPeaks, KnowNothingBeforeTheFirstMeasurement) {
  LearntPeaks learnt;
  learnt.begin();
  learnt.raise(Bytes{});
  EXPECT_EQ(learnt.highest(), Bytes{});
  EXPECT_EQ(learnt.bound(), Bytes{});
  EXPECT_TRUE(learnt.lives().empty());
}

TEST(LearntPeaks, ALifeCountsOnceWithItsHighestFigure) {
  LearntPeaks learnt;
  learnt.begin();
  for (const Bytes held : {100_MiB, 300_MiB, 200_MiB}) learnt.raise(held);
  EXPECT_EQ(learnt.lives(), std::vector{300_MiB});
  EXPECT_FALSE(learnt.is_settled());
}

TEST(LearntPeaks, AreSettledByTheThirdLife) {
  EXPECT_FALSE(lives_of({100_MiB, 100_MiB}).is_settled());
  EXPECT_TRUE(lives_of({100_MiB, 100_MiB, 100_MiB}).is_settled());
}

TEST(LearntPeaks, FewLivesGiveTheHighestAndATenth) {
  EXPECT_EQ(lives_of({100_MiB}).bound(), 110_MiB);
  EXPECT_EQ(lives_of({100_MiB, 80_MiB, 90_MiB}).bound(), 110_MiB);
}

TEST(LearntPeaks, WhatExceedsTheBoundRaisesItAtOnce) {
  LearntPeaks learnt = lives_of({100_MiB, 100_MiB, 100_MiB});
  learnt.raise(200_MiB);
  EXPECT_EQ(learnt.bound(), 220_MiB);
}

TEST(LearntPeaks, AComponentThatAlwaysHoldsTheSameNeedsLessMarginAsLivesGoBy) {
  const LearntPeaks learnt = lives_of(std::vector(20, 100_MiB));
  EXPECT_LT(learnt.bound(), 104_MiB);
  EXPECT_GT(learnt.bound(), 102_MiB);
}

TEST(LearntPeaks, AComponentWhoseMemoryDependsOnItsInputHasAMarginOfOneAndAHalfTimesItsSpread) {
  const LearntPeaks learnt =
      lives_of({100_MiB, 110_MiB, 100_MiB, 100_MiB, 100_MiB, 100_MiB, 100_MiB, 100_MiB});
  EXPECT_EQ(learnt.bound(), 125_MiB);
}

TEST(LearntPeaks, AMarginIsAQuarterAtMost) {
  const LearntPeaks learnt = lives_of({100_MiB, 100_MiB, 100_MiB, 100_MiB, 100_MiB, 400_MiB});
  EXPECT_EQ(learnt.bound(), 500_MiB);
}

TEST(LearntPeaks, AnOutlierIsForgottenAfterTwentyLives) {
  LearntPeaks learnt = lives_of({400_MiB});
  for (int life = 0; life < 19; ++life) {
    learnt.begin();
    learnt.raise(100_MiB);
  }
  EXPECT_EQ(learnt.highest(), 400_MiB);
  learnt.begin();
  learnt.raise(100_MiB);
  EXPECT_EQ(learnt.highest(), 100_MiB);
}

TEST(LearntPeaks, WhoKnowsMoreLivesIsBelieved) {
  LearntPeaks learnt = lives_of({500_MiB});
  learnt.learn({100_MiB, 120_MiB, 110_MiB});
  EXPECT_EQ(learnt.lives(), (std::vector{100_MiB, 120_MiB, 110_MiB, 500_MiB}));
  learnt.learn({900_MiB});
  EXPECT_EQ(learnt.highest(), 500_MiB);
}

TEST(LearntPeaks, OfAsManyLivesTheHigherPeakIsBelieved) {
  LearntPeaks learnt;
  learnt.learn({100_MiB});
  learnt.learn({77_MiB});
  EXPECT_EQ(learnt.highest(), 100_MiB);
  learnt.learn({120_MiB});
  EXPECT_EQ(learnt.lives(), std::vector{120_MiB});
}

TEST(LearntPeaks, OfAnotherProgramOfTheNameTheyAreOneGuess) {
  LearntPeaks learnt = lives_of({100_MiB, 120_MiB, 110_MiB});
  learnt.doubt();
  EXPECT_EQ(learnt.lives(), std::vector{120_MiB});
  EXPECT_FALSE(learnt.is_running());
}

// Memory that varies by 8 % either way, and by what has a long tail.
struct Trials {
  int runs = 0;
  int far = 0;       // the bound after 3 lives is more than a tenth from the true peak
  int exceeded = 0;  // lives of the next 20 that were above the bound before them
};

Trials try_out(auto draw) {
  Prng prng{11};
  Trials trials;
  for (trials.runs = 0; trials.runs < 1000; ++trials.runs) {
    LearntPeaks learnt;
    Bytes true_peak;
    Bytes after_three;
    for (int life = 0; life < 23; ++life) {
      const Bytes peak = draw(prng);
      if (life == 3) after_three = learnt.bound();
      if (life >= 3 && peak > learnt.bound()) ++trials.exceeded;
      true_peak = std::max(true_peak, peak);
      learnt.begin();
      learnt.raise(peak);
    }
    const std::uint64_t off =
        after_three > true_peak ? (after_three - true_peak).count : (true_peak - after_three).count;
    if (off > true_peak.count / 10 + 1) ++trials.far;
  }
  return trials;
}

TEST(LearntPeaks, AreWithinATenthAndNotExceededWhereMemoryVariesByEightPercent) {
  const Trials trials = try_out([](Prng& prng) { return 184_MiB + Bytes{prng.below(32 << 20)}; });
  EXPECT_EQ(trials.far, 0);
  EXPECT_LE(trials.exceeded, 20);  // of 20,000
}

TEST(LearntPeaks, AreExceededOnceInFortyLivesAtMostWhereMemoryHasALongTail) {
  const Trials trials = try_out([](Prng& prng) {
    const double tail = 1 / (0.05 + prng.unit());  // 1 to 20
    return 200_MiB + Bytes{static_cast<std::uint64_t>(tail * 4e6)};
  });
  EXPECT_LE(trials.exceeded, 500);  // of 20,000
}

}  // namespace
}  // namespace hearth

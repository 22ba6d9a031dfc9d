#include "runtime/histogram.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hearth {
namespace {

constexpr std::array<Duration, 3> bounds{1ms, 10ms, 1s};

std::vector<std::uint64_t> counts(const Histogram& histogram) {
  const HistogramFigures figures = histogram.figures();
  return {figures.counts.begin(), figures.counts.begin() + bounds.size() + 1};
}

TEST(Histogram, ASampleIsInTheFirstBucketWhoseBoundIsNotBelowIt) {
  Histogram histogram{bounds};
  histogram.record(0ms);
  histogram.record(1ms);
  histogram.record(1ms + 1ns);
  histogram.record(1s);
  histogram.record(1s + 1ns);
  histogram.record(1h);
  EXPECT_EQ(counts(histogram), (std::vector<std::uint64_t>{2, 1, 1, 2}));
  EXPECT_EQ(histogram.figures().count(), 6U);
  EXPECT_EQ(Duration{histogram.figures().sum_ns}, 1h + 2s + 2ms + 2ns);
}

TEST(Histogram, ANegativeSpanIsZero) {
  Histogram histogram{bounds};
  histogram.record(-5s);
  EXPECT_EQ(counts(histogram), (std::vector<std::uint64_t>{1, 0, 0, 0}));
  EXPECT_EQ(histogram.figures().sum_ns, 0U);
}

TEST(Histogram, NoSampleOfManyThreadsIsLost) {
  constexpr int each = 10'000;
  Histogram histogram{bounds};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&histogram] {
      for (int k = 0; k < each; ++k) histogram.record(5ms);
    });
  }
  for (std::jthread& thread : threads) thread.join();
  EXPECT_EQ(counts(histogram), (std::vector<std::uint64_t>{0, 4 * each, 0, 0}));
  EXPECT_EQ(Duration{histogram.figures().sum_ns}, 4 * each * 5ms);
}

}  // namespace
}  // namespace hearth

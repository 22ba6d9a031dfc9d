// How often a span of time fell between which bounds, for /metrics.
//
// Contract   record() counts a span in the first bucket whose bound is not below it, or in the one
//            above all bounds; a negative span counts as zero. figures() may be taken at any time:
//            its count is the sum of its buckets always, and its sum may miss samples that are
//            being recorded just then.
// Domain     bounds ascend, are at most `bounds_max`, and live as long as the histogram (they are
//            constants). The sum of all samples stays below 584 years; then it wraps, which
//            Prometheus takes for a restart.
// Threads    thread-safe, without a lock.
// Cost       record() compares with each bound and makes two relaxed additions; it allocates
// nothing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <span>

#include "base/assert.h"
#include "base/units.h"

namespace hearth {

struct HistogramFigures {
  static constexpr std::size_t bounds_max = 20;
  std::span<const Duration> bounds;
  std::array<std::uint64_t, bounds_max + 1> counts{};  // [bounds.size()]: above all of them
  std::uint64_t sum_ns = 0;

  [[nodiscard]] std::uint64_t count() const {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }
};

class Histogram {
 public:
  explicit Histogram(std::span<const Duration> bounds) : bounds_(bounds) {
    HEARTH_ASSERT(bounds.size() <= HistogramFigures::bounds_max);
    HEARTH_DASSERT(std::ranges::is_sorted(bounds));
  }

  void record(Duration span) {
    span = std::max(span, Duration{0});
    // All bounds are looked at: a few compares cost less than a branch that is guessed wrong.
    std::size_t bucket = 0;
    for (const Duration bound : bounds_) bucket += bound < span ? 1U : 0U;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(static_cast<std::uint64_t>(span.count()), std::memory_order_relaxed);
  }

  [[nodiscard]] HistogramFigures figures() const {
    HistogramFigures figures{.bounds = bounds_};
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      figures.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    figures.sum_ns = sum_ns_.load(std::memory_order_relaxed);
    return figures;
  }

 private:
  std::span<const Duration> bounds_;
  std::array<std::atomic<std::uint64_t>, HistogramFigures::bounds_max + 1> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

}  // namespace hearth

#include "core/ledger/learnt_peaks.h"

#include <algorithm>

namespace hearth {

void LearntPeaks::add(Bytes peak) {
  if (lives_.size() == lives_max) lives_.erase(lives_.begin());
  lives_.push_back(peak);
}

void LearntPeaks::raise(Bytes held) {
  if (held == Bytes{}) return;
  // Sums of bounds must not wrap.
  held = std::min(held, Bytes::unlimited());
  if (is_running_) {
    lives_.back() = std::max(lives_.back(), held);
  } else {
    add(held);
    is_running_ = true;
  }
}

void LearntPeaks::learn(const std::vector<Bytes>& lives) {
  LearntPeaks told;
  for (const Bytes life : lives) {
    told.begin();
    told.raise(life);
  }
  const std::size_t own = lives_.size() - (is_running_ ? 1 : 0);
  const bool knows_more =
      told.lives_.size() > own || (told.lives_.size() == own && told.highest() > highest());
  if (!knows_more) return;
  told.is_running_ = is_running_;
  if (is_running_) told.add(lives_.back());
  *this = std::move(told);
}

void LearntPeaks::doubt() {
  const Bytes guess = highest();
  forget();
  if (guess > Bytes{}) lives_.push_back(guess);
}

void LearntPeaks::forget() {
  lives_.clear();
  is_running_ = false;
}

Bytes LearntPeaks::highest() const {
  return lives_.empty() ? Bytes{} : *std::ranges::max_element(lives_);
}

Bytes LearntPeaks::bound() const {
  if (lives_.empty()) return Bytes{};
  constexpr std::size_t lives_few = 6;
  std::vector<Bytes> sorted = lives_;
  std::ranges::sort(sorted);
  const std::uint64_t high = sorted.back().count;
  std::uint64_t margin = high / 10;
  if (sorted.size() >= lives_few) {
    const std::uint64_t spread = high - sorted[(sorted.size() - 1) / 2].count;
    margin = std::max(high / 10 * lives_few / sorted.size(), spread + spread / 2);
    margin = std::min(margin, high / 4);
  }
  return Bytes{high + margin};
}

bool LearntPeaks::is_consistent() const {
  return lives_.size() <= lives_max && (!is_running_ || !lives_.empty()) &&
         std::ranges::all_of(
             lives_, [](Bytes life) { return life > Bytes{} && life <= Bytes::unlimited(); });
}

}  // namespace hearth

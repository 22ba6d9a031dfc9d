#include "core/ledger/learnt_peaks.h"

#include <algorithm>
#include <array>

namespace hearth {

void LearntPeaks::add(Bytes peak) {
  if (lives_.size() == lives_max) lives_.erase(lives_.begin());
  lives_.push_back(peak);
  count();
}

void LearntPeaks::raise(Bytes held) {
  if (held == Bytes{}) return;
  // Sums of bounds must not wrap.
  held = std::min(held, Bytes::unlimited());
  if (!is_running_) {
    add(held);
    is_running_ = true;
  } else if (held > lives_.back()) {
    lives_.back() = held;
    count();
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
  if (guess > Bytes{}) add(guess);
}

void LearntPeaks::forget() {
  lives_.clear();
  is_running_ = false;
  count();
}

void LearntPeaks::count() {
  highest_ = bound_ = Bytes{};
  if (lives_.empty()) return;
  constexpr std::size_t lives_few = 6;
  const std::size_t count = std::min(lives_.size(), lives_max);
  const std::uint64_t high = std::ranges::max_element(lives_)->count;
  std::uint64_t margin = high / 10;
  if (count >= lives_few) {
    std::array<Bytes, lives_max> some{};
    const auto end = std::copy_n(lives_.begin(), count, some.begin());
    const auto median = some.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2);
    std::nth_element(some.begin(), median, end);
    const std::uint64_t spread = less(Bytes{high}, *median).count;
    margin = std::max(high / 10 * lives_few / count, spread + spread / 2);
    margin = std::min(margin, high / 4);
  }
  highest_ = Bytes{high};
  bound_ = Bytes{high + margin};
}

bool LearntPeaks::is_consistent() const {
  return lives_.size() <= lives_max && (!is_running_ || !lives_.empty()) &&
         std::ranges::all_of(
             lives_, [](Bytes life) { return life > Bytes{} && life <= Bytes::unlimited(); });
}

}  // namespace hearth

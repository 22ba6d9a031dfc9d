// An upper bound of what a component will hold of one resource, learnt from its lives.
//
//   bound() = highest + margin
//   margin  = a tenth of the highest                              up to 5 lives
//             max(highest * 6 / (10 * lives), 1.5 * spread),
//             at most a quarter of the highest                    from 6 lives on
//   spread  = highest - median
//
// Contract   One peak a life, the running one included: begin() says that a new life has begun,
//            raise() what it was seen to hold. The last `lives_max` lives count, so that highest()
//            is the quantile above 19 of 20, an outlier is forgotten after 20 lives, and what was
//            exceeded is raised at once. The bound is never more than a tenth above what was really
//            seen while lives are few; later it is closer for a component that always holds the
//            same, and wider for one whose memory depends on its input.
// Units      bytes of one resource; 0 is "not measured" and never a life.
// Exactness  whole numbers: the same on every machine.
// Errors     none.  Threads  thread-compatible.  Cost  20 numbers, sorted when one of them changes.
#pragma once

#include <cstddef>
#include <vector>

#include "base/units.h"

namespace hearth {

class LearntPeaks {
 public:
  static constexpr std::size_t lives_max = 20;
  static constexpr std::size_t lives_settled = 3;  // from then on it replaces what was declared

  void begin() { is_running_ = false; }
  void raise(Bytes held);
  // Lives that were learnt elsewhere, oldest first, come before the running one. Who knows more
  // lives is believed; of as many, who has seen more.
  void learn(const std::vector<Bytes>& lives);
  // Another program bears the name from now on: what was seen is one guess, no more.
  void doubt();
  void forget();

  [[nodiscard]] Bytes highest() const { return highest_; }  // 0: never measured
  [[nodiscard]] Bytes bound() const { return bound_; }      // 0: never measured
  [[nodiscard]] bool is_settled() const { return lives_.size() >= lives_settled; }
  [[nodiscard]] bool is_running() const { return is_running_; }  // the last life, as was measured
  [[nodiscard]] const std::vector<Bytes>& lives() const { return lives_; }  // oldest first
  [[nodiscard]] bool is_consistent() const;

  template <class A>
  void fields(A& a) {
    a(lives_, is_running_);
    count();
  }

 private:
  void add(Bytes peak);
  void count();
  std::vector<Bytes> lives_;
  bool is_running_ = false;
  // Derived.
  Bytes highest_{};
  Bytes bound_{};
};

}  // namespace hearth

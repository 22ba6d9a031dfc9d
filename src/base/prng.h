// A small deterministic generator: xoshiro256**, seeded by splitmix64 (Blackman, Vigna 2018).
//
// Contract   equal seeds give equal draws on every machine. One draw a statement: the order in
//            which arguments are evaluated is not specified.
// Threads    thread-compatible.
#pragma once

#include <array>
#include <cstdint>

#include "base/assert.h"

namespace hearth {

class Prng {
 public:
  explicit constexpr Prng(std::uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      std::uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
      word = mixed ^ (mixed >> 31);
    }
  }

  constexpr std::uint64_t next() {
    const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound); bound > 0. The bias of the multiplication is below 2^-32 for small
  // bounds.
  constexpr std::uint64_t below(std::uint64_t bound) {
    HEARTH_ASSERT(bound > 0);
    return bound <= 0xffffffffU ? ((next() >> 32) * bound) >> 32 : next() % bound;
  }
  // Uniform in [low, high].
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  // Uniform in [0, 1).
  constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  constexpr bool chance(double probability) { return unit() < probability; }

  template <class A>
  void fields(A& archive) {
    for (auto& word : state_) archive(word);
  }

 private:
  static constexpr std::uint64_t rotate(std::uint64_t value, int by) {
    return (value << by) | (value >> (64 - by));
  }
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace hearth

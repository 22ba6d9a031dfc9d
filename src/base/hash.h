// FNV-1a over bytes, and a running digest. For identities and determinism checks, not for security.
//
// Exactness  the same on every machine.
// Threads    pure; Digest is thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hearth {

constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t state = 0xcbf29ce484222325U) {
  for (const char c : text) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return state;
}

// Eight bytes a round: much cheaper than FNV on a stream of numbers.
class Digest {
 public:
  constexpr void add(std::uint64_t word) {
    state_ ^= word;
    state_ *= 0x9fb21c651e98df25U;
    state_ ^= state_ >> 32;
  }
  void add(std::span<const std::byte> bytes) {
    std::uint64_t word = bytes.size();
    int filled = 0;
    for (const std::byte b : bytes) {
      word = (word << 8) | static_cast<std::uint64_t>(b);
      if (++filled == 8) {
        add(word);
        word = 0;
        filled = 0;
      }
    }
    add(word);
  }
  [[nodiscard]] constexpr std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x2545f4914f6cdd1dU;
};

}  // namespace hearth

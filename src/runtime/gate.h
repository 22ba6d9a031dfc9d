// Whether a component may be taken without asking the core: closed, or open with n fast leases.
//
// Contract   try_take() succeeds only while open, and adds one; each success is ended by one
//            release(), at any time. close() succeeds only when nobody has taken it; bar() closes
//            it whoever has, because what is behind it is gone. Then try_take() fails until
//            open(). What happened before open() is seen by whoever takes, and what happened
//            before release() is seen by whoever closes.
// Errors     a release without a take is an assertion.
// Threads    thread-safe, lock-free.  Cost  one compare-and-swap.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/assert.h"

namespace hearth {

class Gate {
 public:
  [[nodiscard]] bool try_take() {
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    while ((seen & barred) == 0 && seen < barred - 1) {
      if (state_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    const std::uint32_t before = state_.fetch_sub(1, std::memory_order_release);
    HEARTH_ASSERT((before & ~barred) != 0);
  }

  // None: it is closed now (or was already). Otherwise how many hold it open.
  [[nodiscard]] std::optional<std::uint32_t> close() {
    std::uint32_t seen = 0;
    if (state_.compare_exchange_strong(seen, barred, std::memory_order_acquire))
      return std::nullopt;
    if (seen == barred) return std::nullopt;
    return seen & ~barred;
  }

  void bar() { state_.fetch_or(barred, std::memory_order_acquire); }

  // An open gate stays as it is.
  void open() { state_.fetch_and(~barred, std::memory_order_release); }

  [[nodiscard]] bool is_open() const {
    return (state_.load(std::memory_order_relaxed) & barred) == 0;
  }
  // How many hold it.
  [[nodiscard]] std::uint32_t taken() const {
    return state_.load(std::memory_order_relaxed) & ~barred;
  }

 private:
  static constexpr std::uint32_t barred = 0x80000000U;
  std::atomic<std::uint32_t> state_{barred};
};

}  // namespace hearth

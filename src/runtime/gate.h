// Whether a component may be taken without asking the core: closed, or open with n fast leases.
//
// Contract   try_take() succeeds only while open, and adds one; each success is ended by one release().
//            close() succeeds only when open and nobody has taken it; after it, try_take() fails until
//            open(). What happened before open() is seen by whoever takes, and what happened before
//            release() is seen by whoever closes.
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
    while (seen != closed && seen != taken_max) {
      if (state_.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    const std::uint32_t before = state_.fetch_sub(1, std::memory_order_release);
    HEARTH_ASSERT(before != closed && before != 0);
  }

  // None: it is closed now (or was already). Otherwise how many hold it open.
  [[nodiscard]] std::optional<std::uint32_t> close() {
    std::uint32_t seen = 0;
    if (state_.compare_exchange_strong(seen, closed, std::memory_order_acquire)) return std::nullopt;
    if (seen == closed) return std::nullopt;
    return seen;
  }

  // An open gate stays as it is.
  void open() {
    std::uint32_t seen = closed;
    (void)state_.compare_exchange_strong(seen, 0, std::memory_order_release,
                                         std::memory_order_relaxed);
  }

  // After a restart, before anybody takes: open with the leases that are known, or closed.
  void reset(std::optional<std::uint32_t> taken) { state_.store(taken.value_or(closed)); }

  [[nodiscard]] bool is_open() const { return state_.load(std::memory_order_relaxed) != closed; }
  // How many hold it; 0 when closed.
  [[nodiscard]] std::uint32_t taken() const {
    const std::uint32_t seen = state_.load(std::memory_order_relaxed);
    return seen == closed ? 0 : seen;
  }

 private:
  static constexpr std::uint32_t closed = 0xffffffffU;
  static constexpr std::uint32_t taken_max = 0xfffffffeU;
  std::atomic<std::uint32_t> state_{closed};
};

}  // namespace hearth

// Whether a component stays at its limit of memory, and whether the kernel has ended some of it.
//
// Contract   OverLimit is the decision: over when it was held back again and again (`high` grows)
//            for `patience`, while what cannot be taken back from it is above the threshold.
//            Reading files quickly, which also meets the threshold, is not that: those pages go.
//            LimitWatch reads the kernel's account of one group. fd() has news (POLLPRI of a
//            group of version 2, POLLIN of one of version 1); look() is called then, and at
//            next_look() if that is not never(), and wait for fd() only from quiet_until() on.
// Errors     none: what cannot be read has not happened.
// Threads    thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"
#include "runtime/component_group.h"

namespace hearth {

class OverLimit {
 public:
  static constexpr Duration patience = 5s;
  // One who is held back sleeps up to two seconds before he asks again.
  static constexpr Duration silence_max = 2500ms;

  struct Reading {
    std::uint64_t high = 0;  // times that it was held back
    Bytes kept;              // what it has and cannot be taken back
    Bytes threshold;
  };
  // True when it has been over for long enough.
  [[nodiscard]] bool look(Instant now, const Reading& reading);
  [[nodiscard]] bool is_suspect() const { return since_ != Instant::never(); }

 private:
  std::uint64_t high_ = 0;
  Instant since_ = Instant::never();
  Instant grew_{};
};

class LimitWatch {
 public:
  enum class Verdict : unsigned char { fine, over, killed };

  LimitWatch() = default;
  // `limit`: of memory; 0: none.
  LimitWatch(const ComponentGroup& group, Bytes limit);
  [[nodiscard]] int fd() const { return news_.get(); }
  [[nodiscard]] short events() const;
  [[nodiscard]] Instant next_look() const;
  [[nodiscard]] Instant quiet_until() const { return quiet_until_; }
  [[nodiscard]] Verdict look(Instant now);
  // Why the kernel ended some of it; empty when it did not, or does not tell.
  [[nodiscard]] std::string killed_text() const;
  [[nodiscard]] std::string over_text() const;
  // The kernel counts here whom it ends, so that none is none.
  [[nodiscard]] bool is_counted() const;

 private:
  [[nodiscard]] std::string text_of(std::string_view file) const;

  std::string directory_;
  Bytes limit_{};
  bool is_old_ = false;  // version 1
  Descriptor news_;
  Descriptor control_;  // of version 1, whose notices stop when it is closed
  OverLimit over_;
  Instant quiet_until_{};
};

}  // namespace hearth

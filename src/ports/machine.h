// What the machine can tell of its memory.
//
// Contract   memory_total() is what this process may use at most: physical memory or the limit of
//            its own control group, whichever is less. memory_available() is what can still be
//            used without swapping, by the same two. own_rss() is of this process.
// Errors     a figure that cannot be read is Bytes::unlimited() (own_rss: 0).
// Threads    thread-safe.
#pragma once

#include "base/units.h"

namespace hearth {

class Machine {
 public:
  virtual ~Machine() = default;
  [[nodiscard]] virtual Bytes memory_total() const = 0;
  [[nodiscard]] virtual Bytes memory_available() const = 0;
  [[nodiscard]] virtual Bytes own_rss() const = 0;
};

}  // namespace hearth

// What the machine can tell of its memory, and of its batteries.
//
// Contract   memory_total() is what this process may use at most: physical memory or the limit of
//            its own control group, whichever is less. memory_signs() is what can still be used
//            without swapping, by the same two, and what programs suffer meanwhile. own_rss() is
//            of this process. alarms() are descriptors that become urgent (EPOLLPRI,
//            edge-triggered) when the signs have become worse; they live as long as the machine.
//            They are asked for once.
// Errors     a figure that cannot be read is Bytes::unlimited() (own_rss, counts: 0).
// Threads    thread-safe.
#pragma once

#include <vector>

#include "base/units.h"
#include "core/model/signs.h"

namespace hearth {

class Machine {
 public:
  virtual ~Machine() = default;
  [[nodiscard]] virtual Bytes memory_total() const = 0;
  [[nodiscard]] virtual MemorySigns memory_signs() const = 0;
  [[nodiscard]] virtual PowerSigns power_signs() const = 0;
  [[nodiscard]] virtual Bytes own_rss() const = 0;
  [[nodiscard]] virtual std::vector<int> alarms() { return {}; }
};

}  // namespace hearth

// What a machine tells of its memory, and of its batteries.
//
// Threads    values.
#pragma once

#include "base/units.h"

namespace hearth {

// At one moment. The counts begin with the machine, and may begin anew.
struct MemorySigns {
  Bytes available = Bytes::unlimited();  // less the reserve, within our own limit
  bool is_own_limit = false;             // our control group's limit is what is nearest
  Duration stalled{0};                   // in which some program has waited for memory
  Bytes swapped{};                       // in and out
  template <class A>
  void fields(A& a) {
    a(available, is_own_limit, stalled, swapped);
  }
};

// All its batteries together.
struct PowerSigns {
  bool is_on_battery = false;
  double charge = 1;  // 0 to 1
  bool operator==(const PowerSigns&) const = default;
};

}  // namespace hearth

// A control group for one component, where the system lets us make one.
//
// Contract   make() tries version 2 beside our own group and version 1 of memory and pids; what
//            is refused is left out in silence. add() puts a process in (its children follow) and
//            tells whether every limit asked for is in force. kill() ends all in it where the
//            system can do that at once. remove() takes it away when it is empty.
// Threads    thread-compatible.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"

namespace hearth {

class ComponentGroup {
 public:
  // No limits: no group is made, because nothing needs it.
  [[nodiscard]] static ComponentGroup make(const std::string& name, Bytes memory_max,
                                           std::uint64_t pids_max);
  [[nodiscard]] bool add(pid_t process) const;
  void kill() const;
  void remove() const;

 private:
  std::vector<std::string> directories_;
  bool is_complete_ = true;
};

}  // namespace hearth

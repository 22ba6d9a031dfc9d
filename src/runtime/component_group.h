// A control group for one component, where the system lets us make one.
//
// Contract   make() tries version 2 below our own group, or beside the daemon's leaf of it
//            (own_group.h), and version 1 for what that did not take; what is refused is left out
//            in silence. add() puts a process in (its children follow) and tells whether every
//            limit asked for is in force. kill() ends all in it where the system can do that at
//            once. remove() takes it away when it is empty.
// Threads    thread-compatible.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"

namespace hearth {

struct GroupLimits {
  Bytes memory{};            // 0: none
  std::uint64_t pids = 0;    // 0: none
  std::uint64_t cpu_us = 0;  // of each 100 ms; 0: none
  [[nodiscard]] bool is_any() const { return memory > Bytes{} || pids > 0 || cpu_us > 0; }
};

class ComponentGroup {
 public:
  // No limits: no group is made, because nothing needs it.
  [[nodiscard]] static ComponentGroup make(const std::string& name, const GroupLimits& limits);
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  [[nodiscard]] bool add(pid_t process) const;
  void kill() const;
  void remove() const;

 private:
  std::vector<std::string> directories_;
  bool is_complete_ = true;
};

}  // namespace hearth

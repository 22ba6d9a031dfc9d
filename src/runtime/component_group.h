// A control group for one component, where the system lets us make one.
//
// Contract   make() tries version 2 below our own group, or beside the daemon's leaf of it
//            (own_group.h), and version 1 for each limit that version 2 did not take, and no more
//            of it: to enter such a group takes 10 to 15 ms (spawn.h). What is refused is left out
//            in silence, and is_complete() tells whether every limit asked for is in force. What
//            spawn.h starts in a group is in it from its first instruction on, and so is whatever
//            it starts. kill() ends all in it where the system can do that at once. remove() takes
//            it away when it is empty.
//
//            A limit of memory under version 2: `memory.max` is the limit. From `memory.high` on
//            (throttle_at()) the kernel slows down who asks for more. `memory.swap.max` is 0, so
//            that the limit holds with swap too: what has a limit is not swapped out while it runs
//            (paging.h lifts it when it hibernates). Under version 1 memory and swap together have
//            the limit. With or without one the kernel ends a group as a whole
//            (`memory.oom.group`; version 2).
// Threads    thread-compatible.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "runtime/files.h"

namespace hearth {

struct GroupLimits {
  Bytes memory{};            // 0: none
  std::uint64_t pids = 0;    // 0: none
  std::uint64_t cpu_us = 0;  // of each 100 ms; 0: none
};

// From where on a component with this limit is held back.
[[nodiscard]] Bytes throttle_at(Bytes limit);

class ComponentGroup {
 public:
  [[nodiscard]] static ComponentGroup make(const std::string& name, const GroupLimits& limits);
  // Of version 2 first, if there is one.
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  [[nodiscard]] bool is_complete() const { return is_complete_; }
  // Where its memory is counted; empty where it is not counted apart.
  [[nodiscard]] const std::string& memory_directory() const { return memory_directory_; }
  // For spawn.h: the directory of version 2, and what is to be entered of version 1.
  [[nodiscard]] Descriptor birthplace() const;
  [[nodiscard]] std::vector<Descriptor> doors() const;
  // One that is there already; what it has forked stays where it is. True when it is in and every
  // limit is in force.
  [[nodiscard]] bool add(pid_t process) const;
  void kill() const;
  void remove() const;
  // Groups whose supervisor was killed before it could remove them, once they are empty.
  static void remove_stale();

 private:
  std::vector<std::string> directories_;
  std::string memory_directory_;
  bool is_new_ = false;  // the first directory is of version 2
  bool is_complete_ = true;
};

}  // namespace hearth

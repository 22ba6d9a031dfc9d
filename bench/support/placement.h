// Where the client and the servers of a measurement run.
//
// Two ends of a connection on one core hand over in a third of the time that two cores take which
// sleep in between, and the kernel moves them as it likes. Whoever compares servers must give each
// the same.
#pragma once

#include <dirent.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <vector>

namespace hearth::bench {

enum class Placement { one_core, two_cores };

// Puts the calling thread on the first core that this process may use, every other thread of it and
// `others` (of one thread each) on the same or on the second one. False: there is only one core.
inline bool place(Placement placement, std::initializer_list<pid_t> others = {}) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    (void)::sched_getaffinity(0, sizeof set, &set);
    return set;
  }();
  std::vector<std::size_t> cores;
  for (std::size_t i = 0; i < CPU_SETSIZE && cores.size() < 2; ++i) {
    if (CPU_ISSET(i, &allowed)) cores.push_back(i);
  }
  if (cores.empty() || (placement == Placement::two_cores && cores.size() < 2)) return false;
  const auto put = [](pid_t thread, std::size_t core) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    (void)::sched_setaffinity(thread, sizeof one, &one);  // a thread that has ended needs no place
  };
  const std::size_t far = placement == Placement::one_core ? cores[0] : cores[1];
  if (DIR* tasks = ::opendir("/proc/self/task"); tasks != nullptr) {
    while (const dirent* task = ::readdir(tasks)) {
      const auto thread = static_cast<pid_t>(std::strtol(task->d_name, nullptr, 10));
      if (thread > 0) put(thread, far);
    }
    ::closedir(tasks);
  }
  for (const pid_t other : others) {
    if (other > 0) put(other, far);
  }
  put(::gettid(), cores[0]);
  return true;
}

[[nodiscard]] inline const char* name_of(Placement placement) {
  return placement == Placement::one_core ? "client and servers on one core"
                                          : "the client on one core, the servers on another";
}

}  // namespace hearth::bench

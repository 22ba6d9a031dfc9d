// One thread that waits for everything that happens by itself: exits, the timer, the sampling.
//
// Contract   watch() reports a descriptor once, with its token, when it becomes readable;
//            unwatch() ends that, though a report may already be under way. arm() replaces the
//            time before it; CLOCK_BOOTTIME, so a time that passed in a suspend is reported on
//            waking up. sample_every() sets the period of on_sample. watch_alarm() calls on_alarm
//            each time that a descriptor becomes urgent (EPOLLPRI), at once if it is.
// Threads    thread-safe; the callbacks run on the watcher's own thread and must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "base/units.h"
#include "runtime/files.h"

namespace hearth {

class Watcher {
 public:
  struct Calls {
    std::function<void(std::uint64_t token)> on_readable;
    std::function<void()> on_timer;
    std::function<void()> on_sample;
    std::function<void()> on_alarm;
  };
  explicit Watcher(Calls calls);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // No call comes after this has returned.
  void stop();
  void watch(int fd, std::uint64_t token);
  void unwatch(int fd);
  void arm(Instant boot_time);  // never(): off
  void sample_every(Duration period);
  void watch_alarm(int fd);

 private:
  void run();

  Calls calls_;
  Descriptor epoll_;
  Descriptor timer_;
  Descriptor sampling_;
  Descriptor end_;
  std::thread thread_;
};

}  // namespace hearth

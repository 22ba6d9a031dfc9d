// Threads for what may block: loads, unloads, files.
//
// Contract   a task runs as soon as a thread is free; threads are made as they are needed, up to
//            the maximum, and stay. With a maximum of 1 tasks run one after the other, in order.
//            The destructor runs what was posted and joins.
// Threads    thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "runtime/mutex.h"

namespace hearth {

class Workers {
 public:
  using Task = std::move_only_function<void()>;
  explicit Workers(unsigned threads_max) : threads_max_(threads_max) {}
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void post(Task task);
  [[nodiscard]] std::size_t queued() const;

 private:
  void run();

  const unsigned threads_max_;
  mutable Mutex mutex_;
  std::deque<Task> tasks_ HEARTH_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ HEARTH_GUARDED_BY(mutex_);
  unsigned idle_ HEARTH_GUARDED_BY(mutex_) = 0;
  bool is_over_ HEARTH_GUARDED_BY(mutex_) = false;
  Condition arrived_;
};

}  // namespace hearth

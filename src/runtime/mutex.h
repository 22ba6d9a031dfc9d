// A mutex that clang's thread-safety analysis understands, and what goes with it.
//
// Contract   as std::mutex and std::condition_variable; members that a mutex guards say so by
//            HEARTH_GUARDED_BY(mutex_), and clang refuses code that touches them without it.
// Threads    thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HEARTH_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define HEARTH_THREAD_ATTRIBUTE(x)
#endif

#define HEARTH_GUARDED_BY(mutex) HEARTH_THREAD_ATTRIBUTE(guarded_by(mutex))
#define HEARTH_REQUIRES(mutex) HEARTH_THREAD_ATTRIBUTE(requires_capability(mutex))
#define HEARTH_EXCLUDES(mutex) HEARTH_THREAD_ATTRIBUTE(locks_excluded(mutex))

namespace hearth {

class HEARTH_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() HEARTH_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() HEARTH_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class HEARTH_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HEARTH_THREAD_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() HEARTH_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Wakes may be spurious: wait in a loop over the claim that is waited for.
class Condition {
 public:
  void wait(Mutex& mutex) HEARTH_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock{mutex.mutex_, std::adopt_lock};
    condition_.wait(lock);
    (void)lock.release();
  }
  // False when the time is over.
  bool wait_for(Mutex& mutex, std::chrono::nanoseconds span) HEARTH_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock{mutex.mutex_, std::adopt_lock};
    const bool is_woken = condition_.wait_for(lock, span) == std::cv_status::no_timeout;
    (void)lock.release();
    return is_woken;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace hearth

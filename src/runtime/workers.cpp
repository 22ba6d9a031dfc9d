#include "runtime/workers.h"

namespace hearth {

Workers::~Workers() {
  std::vector<std::thread> threads;
  {
    const MutexLock lock{mutex_};
    is_over_ = true;
    threads.swap(threads_);
  }
  arrived_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void Workers::post(Task task) {
  const MutexLock lock{mutex_};
  tasks_.push_back(std::move(task));
  if (idle_ < tasks_.size() && threads_.size() < threads_max_ && !is_over_) {
    threads_.emplace_back([this] { run(); });
  } else {
    arrived_.notify_one();
  }
}

std::size_t Workers::queued() const {
  const MutexLock lock{mutex_};
  return tasks_.size();
}

void Workers::run() {
  while (true) {
    Task task;
    {
      const MutexLock lock{mutex_};
      ++idle_;
      while (tasks_.empty() && !is_over_) arrived_.wait(mutex_);
      --idle_;
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace hearth

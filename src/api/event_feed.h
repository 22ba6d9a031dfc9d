// Decisions on their way from the core thread to one slow or fast reader.
//
// Contract   push() never blocks and holds at most `limit` items; what does not fit is dropped and
//            counted, and take() tells of the loss once, after the items before it. push() is true
//            when the reader must be woken: once, until take() has emptied it.
// Threads    thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <optional>

#include "runtime/mutex.h"
#include "runtime/service.h"

namespace hearth {

class EventFeed {
 public:
  explicit EventFeed(std::size_t limit) : limit_(limit) {}

  enum class Pushed : unsigned char { quiet, wake, closed };
  [[nodiscard]] Pushed push(const StreamItem& item, bool is_lost);
  struct Entry {
    bool is_lost = false;  // some are missing here; `item` is the last before them
    StreamItem item;
  };
  [[nodiscard]] std::optional<Entry> take();
  void close() { is_closed_ = true; }

 private:
  const std::size_t limit_;
  std::atomic<bool> is_closed_ = false;
  Mutex mutex_;
  std::deque<Entry> entries_ HEARTH_GUARDED_BY(mutex_);
  bool is_losing_ HEARTH_GUARDED_BY(mutex_) = false;
  bool is_woken_ HEARTH_GUARDED_BY(mutex_) = false;
};

}  // namespace hearth

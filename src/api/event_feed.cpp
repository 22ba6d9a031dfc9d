#include "api/event_feed.h"

namespace hearth {

EventFeed::Pushed EventFeed::push(const StreamItem& item, bool is_lost) {
  if (is_closed_) return Pushed::closed;
  const MutexLock lock(mutex_);
  if (is_lost && !is_losing_) entries_.push_back({.is_lost = true, .item = {}});
  if (is_losing_ && !entries_.empty()) return Pushed::quiet;
  is_losing_ = entries_.size() >= limit_;
  if (is_losing_) {
    entries_.push_back({.is_lost = true, .item = entries_.back().item});
    return Pushed::quiet;
  }
  entries_.push_back({.is_lost = false, .item = item});
  if (is_woken_) return Pushed::quiet;
  is_woken_ = true;
  return Pushed::wake;
}

std::optional<EventFeed::Entry> EventFeed::take() {
  const MutexLock lock(mutex_);
  if (entries_.empty()) {
    is_woken_ = false;
    return std::nullopt;
  }
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  return entry;
}

}  // namespace hearth

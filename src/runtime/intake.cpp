#include "runtime/intake.h"

#include <algorithm>

#include "base/limits.h"
#include "runtime/clock.h"

namespace hearth {

Intake::Intake(Journal journal, const Begin& begin)
    : clock_offset_(begin.clock_offset),
      last_sequence_(begin.last_sequence),
      is_failing_(!begin.failure.empty()),
      journal_(std::move(journal)),
      last_at_(begin.not_before),
      failure_(begin.failure) {
  journal_.begin_file(begin.last_sequence + 1, begin.is_first);
}

Instant Intake::now() const { return boot_now() + clock_offset_; }

Result<std::uint64_t> Intake::append(Event::What what, Kind kind, Wake wake) {
  const MutexLock lock{mutex_};
  if (kind != Kind::internal && events_.size() >= event_queue_max) {
    return fail(Errc::exhausted, "the daemon's queue is full; try again in a second");
  }
  JournalRecord record{.sequence = last_sequence_.load() + 1,
                       .unix_ms = unix_ms_now(),
                       .event = {std::max(now(), last_at_), std::move(what)}};
  if (failure_.empty()) {
    Result<> written;
    if (wake == Wake::with_next) {
      journal_.defer(record);
    } else {
      written = journal_.append(record);
    }
    note(written);
  }
  if (!failure_.empty() && kind == Kind::may_load) {
    return fail(Errc::io, "the journal cannot be written, so nothing new is loaded: " + failure_);
  }
  last_at_ = record.event.at;
  last_sequence_ = record.sequence;
  const std::uint64_t sequence = record.sequence;
  events_.push_back(std::move(record));
  queued_.store(events_.size(), std::memory_order_relaxed);
  const bool is_due = wake == Wake::now || events_.size() >= later_max;
  if (is_waiting_ && is_due) arrived_.notify_one();
  return sequence;
}

void Intake::note(const Result<>& written) {
  if (written) return;
  failure_ = written.error().detail;
  is_failing_ = true;
}

void Intake::post(Task task) {
  const MutexLock lock{mutex_};
  tasks_.push_back(std::move(task));
  if (is_waiting_) arrived_.notify_one();
}

void Intake::take(std::vector<JournalRecord>& events, std::vector<Task>& tasks, bool is_waiting) {
  const MutexLock lock{mutex_};
  is_waiting_ = true;
  while (is_waiting && events_.empty() && tasks_.empty()) arrived_.wait(mutex_);
  is_waiting_ = false;
  // What the core acts on has been written.
  if (failure_.empty()) note(journal_.flush());
  events.assign(std::make_move_iterator(events_.begin()), std::make_move_iterator(events_.end()));
  events_.clear();
  tasks.clear();
  tasks.swap(tasks_);
  queued_.store(0, std::memory_order_relaxed);
}

Result<> Intake::sync() {
  const MutexLock lock{mutex_};
  return journal_.sync();
}

Result<> Intake::rotate(std::uint64_t sequence) {
  const MutexLock lock{mutex_};
  journal_.begin_file(sequence + 1);
  failure_.clear();
  for (const JournalRecord& waiting : events_) {
    if (waiting.sequence <= sequence) continue;
    const auto written = journal_.append(waiting);
    if (!written) {
      failure_ = written.error().detail;
      break;
    }
  }
  is_failing_ = !failure_.empty();
  if (!failure_.empty()) return fail(Errc::io, failure_);
  return {};
}

std::size_t Intake::file_bytes() const {
  const MutexLock lock{mutex_};
  return journal_.file_bytes();
}

std::string Intake::failure() const {
  const MutexLock lock{mutex_};
  return failure_;
}

}  // namespace hearth

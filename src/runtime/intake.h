// The core's input queue, which is the journal: the order of appending is the order of events.
//
// Contract   append() gives the event its time and number, writes it to the journal, and queues
//            it for the core thread; what it answers for has then been written. Tasks are run by
//            the core thread beside events, and are not written. rotate() begins a new file that
//            holds every event after `sequence`, so that a snapshot at `sequence` and that file
//            are the whole state.
// Errors     exhausted: the queue is full (never for `internal`). io: the journal cannot be
//            written; then `may_load` is refused, everything else goes on unwritten, and stays
//            unwritten until rotate() has succeeded behind a snapshot.
// Threads    thread-safe; take() and rotate() by one thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/event.h"
#include "runtime/journal.h"
#include "runtime/mutex.h"

namespace hearth {

class Intake {
 public:
  using Task = std::move_only_function<void()>;
  enum class Kind : unsigned char {
    internal,  // of the shell itself: never refused
    ask,       // of a client
    may_load,  // of a client, and could lead to a load
  };

  // `is_first`: no event and no snapshot is before this. `failure`: why nothing can be written.
  struct Begin {
    std::uint64_t last_sequence = 0;
    bool is_first = true;
    Duration clock_offset{0};
    Instant not_before;
    std::string failure{};
  };
  Intake(Journal journal, const Begin& begin);

  // `later`: the core thread is not woken for it, and sees it with whatever comes next, at the
  // latest with the next sample or when `later_max` have gathered.
  // `with_next`: nor is it written before something else is; for what a crash undoes anyway.
  enum class Wake : unsigned char { now, later, with_next };
  static constexpr std::size_t later_max = 64;
  [[nodiscard]] Result<std::uint64_t> append(Event::What what, Kind kind, Wake wake = Wake::now);
  void post(Task task);

  // What has come, waiting for it unless `is_waiting` is false.
  void take(std::vector<JournalRecord>& events, std::vector<Task>& tasks, bool is_waiting = true);

  [[nodiscard]] Result<> sync();
  [[nodiscard]] Result<> rotate(std::uint64_t sequence);

  [[nodiscard]] Instant now() const;  // on the engine's clock
  [[nodiscard]] Instant boot_time(Instant at) const { return at - clock_offset_; }
  [[nodiscard]] Duration clock_offset() const { return clock_offset_; }
  [[nodiscard]] std::uint64_t last_sequence() const { return last_sequence_.load(); }
  [[nodiscard]] std::size_t queued() const { return queued_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t file_bytes() const;
  // Why the journal is not written; empty when it is.
  [[nodiscard]] std::string failure() const;
  [[nodiscard]] bool is_failing() const { return is_failing_.load(std::memory_order_relaxed); }

 private:
  void note(const Result<>& written) HEARTH_REQUIRES(mutex_);

  const Duration clock_offset_;
  std::atomic<std::uint64_t> last_sequence_;
  std::atomic<std::size_t> queued_{0};
  std::atomic<bool> is_failing_{false};
  mutable Mutex mutex_;
  Journal journal_ HEARTH_GUARDED_BY(mutex_);
  std::deque<JournalRecord> events_ HEARTH_GUARDED_BY(mutex_);
  std::vector<Task> tasks_ HEARTH_GUARDED_BY(mutex_);
  Instant last_at_ HEARTH_GUARDED_BY(mutex_);
  std::string failure_ HEARTH_GUARDED_BY(mutex_);
  bool is_waiting_ HEARTH_GUARDED_BY(mutex_) = false;
  Condition arrived_;
};

}  // namespace hearth

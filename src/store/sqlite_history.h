// The history in one SQLite file.
//
// Contract   see ports/history.h. The file is opened at the first call and, after an error, again
//            at the next: a disk that was full or read-only is retried without anything to do.
//            Entries of one sequence number come in one batch. last() gives the oldest first; an
//            empty kind means all. A file that is damaged, or of a later version, is renamed
//            (NAME.corrupt, NAME.version-N) and one is made anew; `notice` is told in a sentence,
//            and must not call back.
// Files      mode 0600; write-ahead log, synchronous NORMAL: a crash of the process loses nothing,
//            a power failure may lose the last transactions, which the journal then fills in again.
// Errors     io, corrupt.
// Threads    thread-safe; calls wait for each other.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ports/history.h"

namespace hearth {

class SqliteHistory final : public History {
 public:
  using Notice = std::function<void(const std::string&)>;

  explicit SqliteHistory(std::string path, Notice notice = {});
  ~SqliteHistory() override;
  SqliteHistory(const SqliteHistory&) = delete;
  SqliteHistory& operator=(const SqliteHistory&) = delete;

  [[nodiscard]] Result<> apply(const std::vector<HistoryEntry>& entries) override;
  // 0 when there is none or the file cannot be read now.
  [[nodiscard]] std::uint64_t last_sequence() const override;
  [[nodiscard]] Result<std::vector<HistoryEntry>> last(std::size_t count,
                                                       std::string_view kind) override;
  [[nodiscard]] Result<> save_learnt(const std::vector<event::Learnt>& learnt) override;
  [[nodiscard]] Result<std::vector<event::Learnt>> load_learnt() override;
  [[nodiscard]] Result<> prune(std::int64_t now_unix_ms, unsigned days, Bytes size_max) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth

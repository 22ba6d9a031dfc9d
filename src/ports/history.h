// What is kept of the past: history and learnt figures, filled behind the journal.
//
// Contract   apply() takes entries with growing journal sequence numbers; an entry at or below
//            last_sequence() is dropped, so replaying the journal's tail changes nothing twice.
//            Everything here can be rebuilt or lost without the daemon failing.
// Errors     io (disk full, read-only), corrupt: told once, the daemon goes on.
// Threads    one writer thread; query functions may be called from another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "core/engine/event.h"

namespace hearth {

struct HistoryEntry {
  std::uint64_t sequence = 0;
  std::int64_t unix_ms = 0;
  std::string kind;       // command, use, load, unload, decision, exit, pressure
  std::string component;  // may be empty
  std::string session;
  std::string text;      // only when history.text is keep
  std::string features;  // hashed words, when history.text is features: hex, space-separated
  std::string detail;    // one line of JSON
  double figure = 0;     // milliseconds or bytes by kind
};

class History {
 public:
  virtual ~History() = default;
  [[nodiscard]] virtual Result<> apply(const std::vector<HistoryEntry>& entries) = 0;
  [[nodiscard]] virtual std::uint64_t last_sequence() const = 0;
  [[nodiscard]] virtual Result<std::vector<HistoryEntry>> last(std::size_t count,
                                                               std::string_view kind) = 0;
  [[nodiscard]] virtual Result<> save_learnt(const std::vector<event::Learnt>& learnt) = 0;
  [[nodiscard]] virtual Result<std::vector<event::Learnt>> load_learnt() = 0;
  // Rows older than `days` and beyond `size_max` go.
  [[nodiscard]] virtual Result<> prune(std::int64_t now_unix_ms, unsigned days, Bytes size_max) = 0;
};

}  // namespace hearth

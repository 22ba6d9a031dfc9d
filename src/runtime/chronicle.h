// Decisions as they are told to the outside: the stream of events and the history's rows.
//
// Contract   the last decisions_kept_max items are kept; a subscriber gets those after its number
//            first, then each as it comes, until it says that it has enough. What is remembered
//            of a command (its words, as far as the configuration lets them be kept) waits here
//            for the rows that name it. decode_note(encode_note(x)) is x; of anything else it is
//            an empty note.
// Threads    thread-compatible.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "codec/config.h"
#include "codec/decision_text.h"
#include "ports/history.h"
#include "runtime/service.h"

namespace hearth {

struct CommandNote {
  std::string session;
  std::string text;      // only when it may be kept
  std::string features;  // hashed words, in hexadecimal
  bool operator==(const CommandNote&) const = default;
};

// What may be kept of a text.
[[nodiscard]] CommandNote make_note(std::string_view text, std::string session,
                                    Config::HistoryText kept);
// As the events of a command carry it through the journal.
[[nodiscard]] std::string encode_note(const CommandNote& note);
[[nodiscard]] CommandNote decode_note(std::string_view text);

class Chronicle {
 public:
  using Subscriber = std::move_only_function<bool(const StreamItem&, bool lost)>;

  void note(CommandId command, CommandNote note);

  void subscribe(std::uint64_t after, Subscriber subscriber);
  void decided(const StreamItem& item, const NameOf& name_of);
  void commanded(std::uint64_t sequence, std::int64_t unix_ms, CommandId command);
  void learnt(std::uint64_t sequence, std::int64_t unix_ms, const action::Learn& learn,
              const NameOf& name_of);

  [[nodiscard]] std::string session_of(CommandId command) const { return noted(command).session; }

  // The rows since the last call.
  [[nodiscard]] std::vector<HistoryEntry> take_rows();

 private:
  [[nodiscard]] CommandNote noted(CommandId command) const;

  std::deque<StreamItem> kept_;
  std::uint64_t lost_until_ = 0;  // the newest number that is kept no more
  std::vector<Subscriber> subscribers_;
  std::vector<HistoryEntry> rows_;
  std::map<CommandId, CommandNote> notes_;
};

}  // namespace hearth

// What survives the death of the daemon: every event since the last snapshot, in files.
//
// Layout     DIR/journal-FIRST.log: a header (versions, first sequence), then records as
//            codec/event_codec.h has them, appended by write(). DIR/snapshot: the engine's state
//            after the event `sequence`, replaced by rename; before it, in a form that does not
//            depend on the engine's version, what any version can take over (Carried). Files of
//            which every event is in the snapshot are removed after it is on disk; two files may
//            hold the same event, which counts once.
// Contract   recover() gives the snapshot and the events after it without a gap. A torn tail is
//            cut. Damaged files, or those of another version, are set aside (*.corrupt,
//            *.other-version) and told; what could be read before the damage is used. Sequence
//            numbers may go on behind a gap then: a snapshot closes it before anything is appended.
// Errors     io: nothing of a failed append is left behind, or else the file is given up and the
//            next append begins another.
// Threads    thread-compatible; save() and forget_before() touch other files than append() and
//            may run beside it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/event_codec.h"
#include "runtime/files.h"

namespace hearth {

// What a snapshot gives to an engine of another version.
struct Carried {
  struct Figures {
    std::string name;
    Bytes peak;
    Duration load_time{0};
    template <class A>
    void fields(A& a) {
      a(name, peak, load_time);
    }
  };
  std::uint64_t sequence = 0;
  std::uint64_t next_request = 1;
  std::uint64_t next_command = 1;
  std::uint64_t next_lease = 1;
  std::vector<std::string> pinned;
  std::vector<Figures> learnt;
  template <class A>
  void fields(A& a) {
    a(sequence, next_request, next_command, next_lease, pinned, learnt);
  }
  // What is behind the fields, and missing where a version before 7 of the engine wrote them: the
  // lives behind each peak, in the order of `learnt`.
  struct Lives {
    std::vector<Bytes> ram;
    std::vector<event::LearntDevice> devices;
    template <class A>
    void fields(A& a) {
      a(ram, devices);
    }
  };
  std::vector<Lives> lives;
};

struct Snapshot {
  std::uint64_t sequence = 0;  // of the last event in it
  std::uint64_t next_request = 1;
  std::uint64_t next_command = 1;
  std::uint64_t next_lease = 1;
  Duration clock_offset{0};  // engine time less CLOCK_BOOTTIME
  std::string boot_id;       // of the start of the machine that the offset belongs to
  std::vector<std::string> pinned;
  std::vector<event::Learnt> learnt;
  std::vector<std::byte> engine;
  template <class A>
  void fields(A& a) {
    a(sequence, next_request, next_command, next_lease, clock_offset, boot_id, engine_text);
  }
  std::string engine_text;  // `engine` as it is stored
  [[nodiscard]] Carried carried() const;
};

struct Recovered {
  std::optional<Snapshot> snapshot;
  std::vector<JournalRecord> tail;
  std::uint64_t last_sequence = 0;  // none is used again
  std::uint64_t whole_until = 0;    // of the snapshot and the tail; a gap is behind it, or nothing
  std::optional<Carried> carried;   // when the engine's own state could not be used
  bool is_other_version = false;    // something of another version was set aside
  std::vector<std::string> troubles;
};

class Journal {
 public:
  explicit Journal(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] static Recovered recover(const std::string& directory);
  // Renames everything that recover() reads to NAME.SUFFIX.
  static void set_all_aside(const std::string& directory, const std::string& suffix);

  // The next append goes to a new file, which begins with `sequence`. `is_first`: what is before it
  // is nothing at all, rather than a snapshot or another file.
  // What was deferred is dropped.
  void begin_file(std::uint64_t sequence, bool is_first = false);
  // With what was deferred before it.
  [[nodiscard]] Result<> append(const JournalRecord& record);
  // Written by the next append() or flush(), and lost when the process dies before.
  void defer(const JournalRecord& record);
  [[nodiscard]] Result<> flush();
  [[nodiscard]] Result<> sync();
  // Bytes appended since begin_file().
  [[nodiscard]] std::size_t file_bytes() const { return file_bytes_; }

  [[nodiscard]] static Result<> save(const std::string& directory, Snapshot snapshot,
                                     Sync sync = Sync::content);
  // Removes the files that begin before `sequence`.
  static void forget_before(const std::string& directory, std::uint64_t sequence);

 private:
  [[nodiscard]] Result<> open();

  std::string directory_;
  Descriptor file_;
  std::string path_;
  std::vector<std::byte> deferred_;
  std::uint64_t last_deferred_ = 0;
  std::uint64_t first_sequence_ = 1;
  bool is_first_ = false;
  bool is_name_synced_ = false;
  std::size_t file_bytes_ = 0;
};

// Which event is being replayed, on disk, so that one that ends the process is found.
//
// Contract   begin() before each event, end() when all is replayed. After two processes that died
//            in the same event, poisoned() names it.
class ReplayMark {
 public:
  explicit ReplayMark(const std::string& directory);
  [[nodiscard]] std::optional<std::uint64_t> poisoned() const;
  void begin(std::uint64_t sequence);
  void end();

 private:
  std::string path_;
  Descriptor file_;
  std::uint64_t before_ = 0;  // the event of the last process
  std::uint64_t begun_ = 0;   // how often it was begun
};

}  // namespace hearth

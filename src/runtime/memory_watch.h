// What a tree of processes holds, looked at again and again at little cost.
//
// Contract   measure() gives the figures of tree_memory() (processes.h), taken anew when a glance
//            shows that something moved: a process came or went, or what is resident, anonymous
//            and file-backed apart, moved by more than a thirty-second of it all and 256 KiB.
//            Otherwise they are what was seen before, for full_min at least and full_max at most:
//            a share of what a full look costs, and spread, so that many do not come due at once.
//            So what a glance cannot see, how pages are shared with others and what of swap came
//            in place of as much memory, is that old at most; others_changed() tells of the first.
//            A process that was forked by another thread than a main one is seen by the list of the
//            control group where there is one, else at the next full look.
// Threads    thread-safe.  Cost  a glance 1 to 2 us a process, with two descriptors open for each
//            of the first sixteen; a full look some 20 us a process and 3 ms a resident GiB.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "ports/driver.h"
#include "runtime/files.h"
#include "runtime/mutex.h"

namespace hearth {

// Pages, of the text of /proc/PID/statm: what is resident, and what of it files and shared memory
// are. Nothing where the text is something else.
struct Statm {
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
};
[[nodiscard]] std::optional<Statm> parse_statm(std::string_view text);

class MemoryWatch {
 public:
  static constexpr Duration full_min = 10s;
  static constexpr Duration full_max = 120s;
  // A full look may take so much of the time until the next one: a fifth of a percent of a core
  // for a hundred components.
  static constexpr std::int64_t full_share = 50'000;

  // `group`: a control group that holds the tree below `root` and nothing else; may be empty.
  explicit MemoryWatch(pid_t root, const std::string& group = {});
  [[nodiscard]] MemoryFigures measure();
  // Somebody else came or went: a tree that has files_min of files or more is looked at whole
  // within files_patience, because they may be shared with it, or be no longer.
  static constexpr Bytes files_min = 16_MiB;
  static constexpr Duration files_patience = 4s;
  void others_changed();
  [[nodiscard]] std::uint64_t full_looks() const;

 private:
  // A file of /proc or of a control group, by its descriptor where there is one.
  struct Glance {
    std::string path;
    Descriptor file;
    std::string text;  // as it was at the last full look
  };
  struct Process {
    Glance statm;
    Glance children;
  };
  [[nodiscard]] bool is_as_before(const Glance& list) HEARTH_REQUIRES(mutex_);
  [[nodiscard]] bool has_moved() HEARTH_REQUIRES(mutex_);
  void look() HEARTH_REQUIRES(mutex_);
  void watch(const std::vector<pid_t>& tree) HEARTH_REQUIRES(mutex_);
  [[nodiscard]] static bool read(const Glance& from, std::string& text);

  const pid_t root_;
  mutable Mutex mutex_;
  Glance members_ HEARTH_GUARDED_BY(mutex_);  // of the group
  std::vector<Process> processes_ HEARTH_GUARDED_BY(mutex_);
  Statm seen_ HEARTH_GUARDED_BY(mutex_);
  MemoryFigures figures_ HEARTH_GUARDED_BY(mutex_);
  Instant full_due_ HEARTH_GUARDED_BY(mutex_){};
  std::uint64_t full_looks_ HEARTH_GUARDED_BY(mutex_) = 0;
  std::string buffer_ HEARTH_GUARDED_BY(mutex_);
};

}  // namespace hearth

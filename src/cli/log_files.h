// The log of a component: NAME.log and what was rotated out of it, NAME.log.1 being the newest.
//
// Contract   reading needs no daemon. LogFollower keeps its place over a rotation: what was
//            written to the old file before it was renamed is read first.
// Errors     not_found: the component has never written a log there.
// Threads    thread-compatible.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace hearth {

// The files of a log, oldest first; empty when there are none.
[[nodiscard]] std::vector<std::string> log_files(const std::string& folder,
                                                 const std::string& name);
// All of it, or its last `lines` lines (0: all).
[[nodiscard]] Result<std::string> read_log(const std::string& folder, const std::string& name,
                                           std::size_t lines);
// Names that have a log in the folder.
[[nodiscard]] std::vector<std::string> logged_names(const std::string& folder);

class LogFollower {
 public:
  // Begins at the end of the log as it is now.
  LogFollower(std::string folder, const std::string& name);
  ~LogFollower();
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;
  // What was written since the last call.
  [[nodiscard]] std::string next();

 private:
  void open(bool at_end);
  std::string drain();

  std::string path_;
  int fd_ = -1;
};

}  // namespace hearth

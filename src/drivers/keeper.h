// The process that supervisors are forked from: small, loaded once, so that a load does not pay for
// starting this program again, and supervisors share what they do not change.
//
// Contract   spawn() gives the process id of a new supervisor with `socket` as its own; a keeper
//            that is gone is started anew. Destroying it ends the keeper, not the supervisors.
// Errors     io, with what the system said.
// Threads    thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/files.h"
#include "runtime/mutex.h"

namespace hearth {

class Keeper {
 public:
  // `command` ends in supervise_main(); the argument that makes it a keeper is added.
  // `open_files`: its soft limit, which all below it inherit; 0: the daemon's.
  explicit Keeper(std::vector<std::string> command, std::uint64_t open_files = 0)
      : command_(std::move(command)), open_files_(open_files) {}
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Ahead of the first spawn(), which is then as quick as the others.
  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<pid_t> spawn(const std::string& name, int socket);

 private:
  Result<> start_locked() HEARTH_REQUIRES(mutex_);
  Result<pid_t> ask(const std::string& name, int socket) HEARTH_REQUIRES(mutex_);
  void end_locked() HEARTH_REQUIRES(mutex_);

  const std::vector<std::string> command_;
  const std::uint64_t open_files_;
  Mutex mutex_;
  Descriptor socket_ HEARTH_GUARDED_BY(mutex_);
  pid_t process_ HEARTH_GUARDED_BY(mutex_) = 0;
};

}  // namespace hearth

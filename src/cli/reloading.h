// What a reload changes beside the daemon's core: who is let in, and the log.
//
// Contract   read() reads the file for the daemon and keeps what it read; apply(), called when the
//            daemon has taken it, puts `api_key`, `listen.hosts` and `log` into force. It returns,
//            and logs as a warning, the keys that are another than those the daemon was started
//            with and that only a restart can change.
// Errors     read(): as load_config().
// Threads    thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/server.h"
#include "codec/config.h"
#include "runtime/log.h"
#include "runtime/mutex.h"

namespace hearth {

class Reloading {
 public:
  // `running` is what the daemon was started with; its state_dir is absolute.
  Reloading(Config running, Environment environment, std::shared_ptr<Log> log);

  [[nodiscard]] Result<Config> read();
  std::vector<std::string> apply();
  // Whose doors they are; null before it is open and once it is closed.
  void attach(Server* server);

 private:
  const Config running_;
  const Environment environment_;
  const std::shared_ptr<Log> log_;
  Mutex mutex_;
  Config fresh_ HEARTH_GUARDED_BY(mutex_);
  Server* server_ HEARTH_GUARDED_BY(mutex_) = nullptr;
};

// The keys whose values differ and that are read once, at the start; by name.
[[nodiscard]] std::vector<std::string> needs_restart(const Config& running, const Config& fresh);

// Where the Unix socket is.
[[nodiscard]] std::string socket_path(const Config& config);

}  // namespace hearth

// The daemon: a core thread around the engine, and what turns its actions into deeds.
//
// Contract   start() recovers what the state directory holds, finds what still runs, applies the
//            configuration, and returns when the core takes requests; components load after that.
//            `open_doors` is called once the state is known and before anything is loaded or ended:
//            it binds what the daemon will listen on, and an error of it ends the start.
//            A warm command or lease is answered within the call itself, on the caller's thread.
//            wait() returns when a shutdown is complete: every component is unloaded, or its time
//            was over, and the last snapshot is on disk. Destroying a Daemon that was not shut down
//            leaves its state as a crash would.
// Errors     start(): conflict (another daemon has the state directory: names its pid), io, and
//            those of open_doors.
// Threads    thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/config.h"
#include "ports/devices.h"
#include "ports/driver.h"
#include "ports/history.h"
#include "ports/machine.h"
#include "runtime/log.h"
#include "runtime/service.h"
#include "runtime/view.h"

namespace hearth {

class Daemon;

struct DaemonOptions {
  Config config;                                // state_dir is set
  std::function<Result<Config>()> load_config;  // for reload(); the error text holds every problem
  std::vector<std::unique_ptr<Driver>> drivers;
  std::unique_ptr<History> history;  // may be null: nothing is kept
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Devices> devices{};  // null: none is looked for
  ClassifierFactory make_classifier;   // may be empty: commands need nothing
  std::shared_ptr<Log> log;            // null: to standard error, as the configuration says
  std::string version = "0.1.0";
  std::uint64_t snapshot_events = 4096;  // a snapshot after so many, or so many bytes
  std::size_t snapshot_bytes = 8u << 20;
  Duration sample_period{1s};  // of components and machine, while something is loaded
  Duration idle_sample_period{5s};
  Duration device_period{5s};  // of devices, where there is one: they are asked through drivers
  Duration prune_period{1h};   // of the history; no wake-ups of its own
  std::function<Result<>(Daemon&)> open_doors{};  // may be empty
};

class Daemon : public Service {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> start(DaemonOptions options);
  ~Daemon() override;

  void wait();
  // Of an engine instant, by the clocks of now.
  [[nodiscard]] std::int64_t unix_ms_of(Instant at) const;

  [[nodiscard]] std::shared_ptr<const Names> names() const override;
  RequestId command(CommandAsk ask, AnswerCallback callback) override;
  RequestId lease(LeaseAsk ask, AnswerCallback callback) override;
  RequestId renew(LeaseId lease, Duration length, AnswerCallback callback) override;
  RequestId release(LeaseId lease, AnswerCallback callback) override;
  void let_go(LeaseId lease) override;
  void look_around() override;
  RequestId load(ComponentId id, bool waits, Duration patience, AnswerCallback callback) override;
  RequestId unload(std::vector<ComponentId> ids, AnswerCallback callback) override;
  RequestId pin(ComponentId id, bool is_pinned, AnswerCallback callback) override;
  RequestId used(CommandId command, std::vector<ComponentId> ids, AnswerCallback callback) override;
  void keep(ComponentId id, Duration span) override;
  void signal(std::string name, std::string session) override;
  void abandon(RequestId request) override;
  void status(std::move_only_function<void(DaemonStatus)> callback) override;
  void subscribe(std::uint64_t after,
                 std::move_only_function<bool(const StreamItem&, bool lost)> callback) override;
  void reload(std::move_only_function<void(Result<>)> callback) override;
  void shutdown() override;
  [[nodiscard]] bool is_ready() const override;

 private:
  struct Impl;
  explicit Daemon(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth

#include "cli/serve.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>
#include <thread>

#include "api/server.h"
#include "cli/app.h"
#include "cli/classifier_adapter.h"
#include "cli/places.h"
#include "cli/reloading.h"
#include "drivers/files.h"
#include "drivers/process.h"
#include "drivers/server.h"
#include "drivers/unit.h"
#include "platform/devices.h"
#include "platform/machine.h"
#include "runtime/daemon.h"
#include "runtime/files.h"
#include "runtime/own_group.h"
#include "store/sqlite_history.h"

namespace hearth {
namespace {

// Signals as something to read: blocked here, before any thread begins, and so in every thread.
Descriptor signal_source() {
  sigset_t signals{};
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGXFSZ, SIG_IGN);  // a limit on files is an error of the write
  return Descriptor{::signalfd(-1, &signals, SFD_CLOEXEC)};
}

// A client and its component are two descriptors, and a thousand of each are usual. Returns what
// the limit was; 0 when it is as it was.
std::uint64_t raise_open_files(std::size_t connections) {
  const rlim_t wanted = 2 * connections + 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? before : 0;
}

std::shared_ptr<const Classifier> classifier_of(const std::vector<Launch>& launches,
                                                const Names& names) {
  Config config;
  config.launches = launches;
  return make_keyword_classifier(config, [&](std::string_view name) { return names.find(name); });
}

DaemonOptions daemon_options(const ServeOptions& options, const std::shared_ptr<Log>& log,
                             const std::shared_ptr<Reloading>& reloading) {
  const Config& config = options.config;
  DaemonOptions parts;
  parts.config = config;
  parts.load_config = [reloading] { return reloading->read(); };
  parts.drivers.push_back(
      make_process_driver({.open_files = raise_open_files(config.connections_max)}));
  parts.drivers.push_back(make_server_driver());
  parts.drivers.push_back(make_unit_driver());
  parts.drivers.push_back(make_files_driver());
  parts.history = std::make_unique<SqliteHistory>(
      config.state_dir + "/history.sqlite",
      [log](const std::string& notice) { log->warn("history: " + notice); });
  parts.machine = make_machine();
  parts.devices = make_devices();
  parts.make_classifier = classifier_of;
  parts.log = log;
  parts.version = hearth_version();
  // So that a test can kill the daemon in the middle of a snapshot without thousands of events.
  const std::string events = options.environment("HEARTH_SNAPSHOT_EVENTS").value_or("");
  std::uint64_t count = 0;
  const auto [unread, error] = std::from_chars(events.data(), events.data() + events.size(), count);
  if (error == std::errc{} && count > 0) parts.snapshot_events = count;
  return parts;
}

ServerOptions server_options(const Config& config, Daemon& daemon,
                             const std::shared_ptr<Reloading>& reloading) {
  ServerOptions options;
  options.listen_http = config.listen_http;
  options.listen_socket = socket_path(config);
  options.hosts = config.hosts;
  options.api_key = config.api_key;
  options.connections_limit = config.connections_max;
  options.gateway = config.gateway;
  options.version = hearth_version();
  options.on_reloaded = [reloading] { return reloading->apply(); };
  options.unix_ms_of = [&daemon](Instant at) { return daemon.unix_ms_of(at); };
  return options;
}

// Reads signals until the daemon has ended. True when it was ended in the middle.
bool watch_signals(const Descriptor& signals, const Descriptor& ended, Daemon& daemon, Log& log,
                   const std::shared_ptr<Reloading>& reloading) {
  bool is_stopping = false;
  for (;;) {
    std::array<pollfd, 2> sources{pollfd{signals.get(), POLLIN, 0}, pollfd{ended.get(), POLLIN, 0}};
    if (::poll(sources.data(), sources.size(), -1) < 0) continue;
    if (sources[1].revents != 0) return false;
    signalfd_siginfo signal{};
    if (::read(signals.get(), &signal, sizeof signal) != sizeof signal) continue;
    if (signal.ssi_signo == SIGHUP) {
      daemon.reload([&log, reloading](Result<> result) {
        if (!result) return;  // the daemon logs what is wrong
        log.info("the configuration was read again");
        (void)reloading->apply();
      });
    } else if (is_stopping) {
      log.warn("asked twice to end: ending at once");
      return true;
    } else {
      is_stopping = true;
      log.info("draining; a second signal ends at once");
      notify_service_manager("STOPPING=1");
      daemon.shutdown();
    }
  }
}

void end_orderly(Daemon& daemon) {
  daemon.shutdown();
  daemon.wait();
}

Result<> open_doors(Server& server, const Config& config, std::ostream& out) {
  HEARTH_TRY(server.start());
  const Address address{.http = server.address(), .socket = socket_path(config), .pid = ::getpid()};
  HEARTH_TRY(write_address(config.state_dir, address));
  out << "hearth " << hearth_version() << " listens at "
      << (address.http.empty() ? "" : address.http + " and ") << address.socket << std::endl;
  notify_service_manager("READY=1");
  return {};
}

}  // namespace

Result<int> serve(ServeOptions options, std::ostream& out) {
  const Config& config = options.config;
  const Descriptor signals = signal_source();
  const auto log =
      std::make_shared<Log>(log_level_of(config.log_level), config.log_format == "json");
  HEARTH_TRY(make_directories(config.state_dir));
  // Before the keeper is started, which every supervisor takes its own group from.
  const DaemonLeaf leaf = DaemonLeaf::enter();
  const auto reloading = std::make_shared<Reloading>(config, options.environment, log);
  std::unique_ptr<Daemon> daemon;
  std::unique_ptr<Server> server;
  DaemonOptions parts = daemon_options(options, log, reloading);
  // A port that is taken ends the start before anything is loaded.
  parts.open_doors = [&](Daemon& starting) {
    server = std::make_unique<Server>(starting, server_options(config, starting, reloading));
    return server->bind();
  };
  daemon = HEARTH_TRY(Daemon::start(std::move(parts)));
  if (auto opened = open_doors(*server, config, out); !opened) {
    end_orderly(*daemon);
    return std::unexpected(std::move(opened).error());
  }
  reloading->attach(server.get());
  const Descriptor ended{::eventfd(0, EFD_CLOEXEC)};
  std::jthread waiter{[&] {
    daemon->wait();
    (void)::eventfd_write(ended.get(), 1);
  }};
  const bool is_cut_short = watch_signals(signals, ended, *daemon, *log, reloading);
  remove_address(config.state_dir, ::getpid());
  // Every supervisor ends its component when this process is gone.
  if (is_cut_short) {
    ::unlink(socket_path(config).c_str());
    ::_exit(1);
  }
  waiter.join();
  reloading->attach(nullptr);
  server->stop();
  log->info("ended");
  return 0;
}

}  // namespace hearth

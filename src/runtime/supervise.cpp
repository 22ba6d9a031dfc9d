#include "runtime/supervise.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "runtime/clock.h"
#include "runtime/component_group.h"
#include "runtime/component_log.h"
#include "runtime/files.h"
#include "runtime/limit_watch.h"
#include "runtime/paging.h"
#include "runtime/processes.h"
#include "runtime/spawn.h"

namespace hearth {
namespace {

class Supervisor {
 public:
  int run();

 private:
  void prepare();
  [[nodiscard]] bool start();
  [[nodiscard]] bool start_main();
  enum class Place : unsigned char { in_group, beside };
  [[nodiscard]] int spawn(std::vector<std::string> arguments, Place place, pid_t& process);
  [[nodiscard]] bool begin_hook(const std::vector<std::string>& words, Place place,
                                const char* key);
  void make_group();
  void look_at_limit();
  [[nodiscard]] std::string how_it_ended(bool is_by_itself) const;
  void hook_ended(int status);
  void run_after();
  void signal_main();
  void open_notify_socket();
  void wait_for_something();
  void read_output();
  void read_notify();
  void read_order();
  void greet();
  void listen_for_daemon();
  void stop();
  void reap();
  void kill_everything();
  void report(SuperviseReport::Kind kind, std::string text = {});

  SuperviseJob job_;
  Descriptor control_;
  Descriptor listener_;
  Descriptor run_directory_;
  Descriptor signals_;
  Descriptor output_;
  Descriptor written_;  // the other end, for whatever is started
  Descriptor notify_;
  std::unique_ptr<ComponentLog> log_;
  ComponentGroup group_;
  LimitWatch limit_;
  LimitWatch::Verdict verdict_ = LimitWatch::Verdict::fine;
  bool is_in_group_ = true;
  pid_t main_ = 0;
  int main_status_ = 0;
  pid_t hook_ = 0;          // the command before, the one that stops, or the one after
  bool is_before_ = false;  // hook_ is the command before
  std::string hook_failure_;
  bool is_main_gone_ = false;
  bool is_ready_ = false;       // the daemon has said so
  bool is_ready_told_ = false;  // we have said so
  bool is_over_ = false;
  Instant kill_at_ = Instant::never();
};

int Supervisor::run() {
  prepare();
  const auto order = receive_order(control_.get());
  if (!order || order->kind != SuperviseOrder::Kind::start) return 0;
  job_ = order->job;
  log_ = std::make_unique<ComponentLog>(job_.log_path);
  if (!start()) is_over_ = true;
  while (!is_over_) wait_for_something();
  const bool was_gone = is_main_gone_;
  kill_everything();
  read_output();
  const std::string how = how_it_ended(was_gone);
  is_main_gone_ = true;
  group_.remove();
  run_after();
  report(SuperviseReport::Kind::exited, how);
  if (listener_.is_open()) {
    (void)::unlinkat(run_directory_.get(), (job_.name + ".sock").c_str(), 0);
  }
  return 0;
}

std::string Supervisor::how_it_ended(bool is_by_itself) const {
  const std::string killed = limit_.killed_text();
  const bool is_killed = verdict_ == LimitWatch::Verdict::killed ||
                         ((is_by_itself || !hook_failure_.empty()) && !killed.empty());
  if (is_killed) return killed;
  if (!hook_failure_.empty()) return hook_failure_;
  if (verdict_ == LimitWatch::Verdict::over) return limit_.over_text();
  if (!is_by_itself) return "ended by hearth";
  std::string text = exit_text(main_status_);
  // Where the kernel counts whom it ends, and has ended nobody, it was not for memory.
  const std::size_t guess = text.find(killed_guess);
  if (guess != std::string::npos && limit_.is_counted() && is_in_group_) {
    text.replace(guess, killed_guess.size(), " (not for lack of memory)");
  }
  return text;
}

void Supervisor::prepare() {
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGHUP, SIG_IGN);
  (void)::signal(SIGINT, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, SIGTERM);
  (void)::sigprocmask(SIG_SETMASK, &wanted, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  control_.reset(::fcntl(supervise_socket, F_DUPFD_CLOEXEC, 3));
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  (void)::dup2(nothing, 0);
  (void)::close(nothing);
}

void Supervisor::report(SuperviseReport::Kind kind, std::string text) {
  if (!control_.is_open()) return;
  SuperviseReport message;
  message.kind = kind;
  message.process = main_;
  message.text = std::move(text);
  if (log_) message.last_line = log_->last_line();
  if (is_in_group_ && !group_.directories().empty()) message.group = group_.directories().front();
  if (kind == SuperviseReport::Kind::hello) message.job = job_;
  (void)send_report(control_.get(), message);
}

bool Supervisor::start() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    report(SuperviseReport::Kind::spawn_failed, error_text(errno));
    return false;
  }
  output_.reset(ends[0]);
  written_.reset(ends[1]);
  (void)::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  // The daemon's own service manager is none of the component's business.
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS"}) {
    (void)::unsetenv(name);
  }
  for (const auto& [name, value] : job_.env) (void)::setenv(name.c_str(), value.c_str(), 1);
  if (job_.is_notified) open_notify_socket();
  if (job_.is_kept) listen_for_daemon();
  make_group();
  is_before_ = !job_.before.empty();
  return is_before_ ? begin_hook(job_.before, Place::in_group, "before") : start_main();
}

void Supervisor::make_group() {
  const Bytes memory{job_.memory_max};
  group_ = ComponentGroup::make(job_.name, {memory, job_.pids_max, job_.cpu_us});
  limit_ = LimitWatch{group_, memory};
}

bool Supervisor::start_main() {
  std::vector<std::string> arguments = job_.argv;
  if (job_.is_shell) arguments.insert(arguments.begin(), {"/bin/sh", "-c"});
  const int error = spawn(std::move(arguments), Place::in_group, main_);
  if (error != 0) {
    report(SuperviseReport::Kind::spawn_failed, error_text(error));
    return false;
  }
  const bool is_limited = job_.memory_max > 0 || job_.pids_max > 0 || job_.cpu_us > 0;
  if (is_limited && !(group_.is_complete() && is_in_group_)) {
    constexpr std::string_view told =
        "hearth: no control group can be made here: limits are not in force\n";
    (void)log_->take(told);
  }
  report(SuperviseReport::Kind::started);
  return true;
}

bool Supervisor::begin_hook(const std::vector<std::string>& words, Place place, const char* key) {
  const int error = spawn(words, place, hook_);
  if (error == 0) return true;
  hook_ = 0;
  hook_failure_ = std::string{"its command `"} + key + "` cannot be started: `" + words.front() +
                  "`: " + error_text(error);
  if (main_ == 0) is_over_ = true;
  return true;
}

// The command before has to succeed; after the one that stops comes the signal.
void Supervisor::hook_ended(int status) {
  hook_ = 0;
  if (main_ != 0) {
    if (!is_main_gone_) signal_main();
    return;
  }
  if (is_over_ || !std::exchange(is_before_, false)) return;
  if (status == 0) {
    is_over_ = !start_main();
    return;
  }
  hook_failure_ = "its command `before` failed: " + exit_text(status);
  is_over_ = true;
}

// However it ended; what it cannot do within the grace is not waited for.
void Supervisor::run_after() {
  if (job_.after.empty()) return;
  is_before_ = false;
  if (!begin_hook(job_.after, Place::beside, "after") || hook_ == 0) {
    (void)log_->take("hearth: " + hook_failure_ + "\n");
    return;
  }
  const Instant until = boot_now() + job_.grace;
  while (hook_ != 0 && boot_now() < until) {
    pollfd waited{signals_.get(), POLLIN, 0};
    (void)::poll(&waited, 1, 20);
    read_output();
    reap();
  }
  is_over_ = true;
  kill_everything();
  read_output();
}

int Supervisor::spawn(std::vector<std::string> arguments, Place place, pid_t& process) {
  SpawnOrder order{
      .arguments = std::move(arguments), .output = written_.get(), .directory = job_.directory};
  if (place == Place::in_group) {
    order.birthplace = group_.birthplace();
    order.groups = group_.doors();
    order.oom_score_adj = job_.oom_score_adj;
  }
  const Spawned spawned = spawn_program(std::move(order));
  process = spawned.process;
  if (spawned.error == 0 && place == Place::in_group) {
    is_in_group_ = spawned.is_in_groups;
    if (!spawned.is_scored) {
      (void)log_->take("hearth: its oom_score_adj cannot be set to " +
                       std::to_string(job_.oom_score_adj) + "\n");
    }
  }
  return spawned.error;
}

void Supervisor::open_notify_socket() {
  notify_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Without a path the system chooses an abstract name of its own.
  if (::bind(notify_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) != 0)
    return;
  socklen_t length = sizeof address;
  if (::getsockname(notify_.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return;
  const std::size_t size = length - offsetof(sockaddr_un, sun_path);
  if (size < 2) return;
  const std::string name = "@" + std::string{address.sun_path + 1, size - 1};
  (void)::setenv("NOTIFY_SOCKET", name.c_str(), 1);
}

void Supervisor::wait_for_something() {
  // News of the limit come too often while it is met: then it is looked at now and then.
  const Instant now = boot_now();
  const bool is_quiet = now < limit_.quiet_until();
  std::array<pollfd, 6> waited{pollfd{signals_.get(), POLLIN, 0},
                               pollfd{output_.get(), POLLIN, 0},
                               pollfd{control_.get(), POLLIN, 0},
                               pollfd{notify_.get(), POLLIN, 0},
                               pollfd{control_.is_open() ? -1 : listener_.get(), POLLIN, 0},
                               pollfd{is_quiet ? -1 : limit_.fd(), limit_.events(), 0}};
  const Instant wake = std::min(kill_at_, is_quiet ? limit_.quiet_until() : limit_.next_look());
  int timeout = -1;
  if (wake != Instant::never()) {
    const double left = milliseconds(wake - now);
    timeout = left <= 0 ? 0 : static_cast<int>(left) + 1;
  }
  if (::poll(waited.data(), waited.size(), timeout) < 0 && errno != EINTR) {
    is_over_ = true;
    return;
  }
  if (waited[1].revents != 0) read_output();
  if (waited[3].revents != 0) read_notify();
  if (waited[0].revents != 0) reap();
  if (waited[2].revents != 0) read_order();
  if (waited[4].revents != 0) greet();
  if (waited[5].revents != 0 || limit_.next_look() <= boot_now()) look_at_limit();
  if (kill_at_ <= boot_now()) is_over_ = true;
}

void Supervisor::look_at_limit() {
  const LimitWatch::Verdict verdict = limit_.look(boot_now());
  if (verdict == LimitWatch::Verdict::fine || is_over_) return;
  verdict_ = verdict;
  is_over_ = true;
}

void Supervisor::read_output() {
  std::array<char, 16384> chunk;
  // A component that never stops talking must not keep us from everything else.
  for (int i = 0; i < 64 && output_.is_open(); ++i) {
    const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      output_.reset();
      return;
    }
    const bool is_seen = log_->take({chunk.data(), static_cast<std::size_t>(got)}, job_.ready_line);
    if (is_seen && !is_ready_told_) {
      is_ready_told_ = true;
      report(SuperviseReport::Kind::ready);
    }
  }
}

void Supervisor::read_notify() {
  std::array<char, 4096> datagram;
  while (true) {
    const ssize_t got = ::recv(notify_.get(), datagram.data(), datagram.size(), 0);
    if (got <= 0) return;
    const std::string text =
        "\n" + std::string{datagram.data(), static_cast<std::size_t>(got)} + "\n";
    if (text.find("\nREADY=1\n") != std::string::npos && !is_ready_told_) {
      is_ready_told_ = true;
      report(SuperviseReport::Kind::ready);
    }
  }
}

void Supervisor::read_order() {
  const auto order = receive_order(control_.get());
  if (!order) {  // the daemon is dead
    control_.reset();
    if (!job_.is_kept || !is_ready_ || !listener_.is_open()) is_over_ = true;
    thaw(::getpid());  // it answers whoever asks it, though nobody could resume it
    return;
  }
  switch (order->kind) {
    case SuperviseOrder::Kind::start:
      return;
    case SuperviseOrder::Kind::ready:
      is_ready_ = true;
      job_.ready_line.clear();
      return;
    case SuperviseOrder::Kind::stop:
      stop();
      return;
    case SuperviseOrder::Kind::kill:
      is_over_ = true;
      return;
  }
}

void Supervisor::listen_for_daemon() {
  run_directory_.reset(::open(job_.run_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const std::string name = job_.name + ".sock";
  const std::string path = short_socket_path(run_directory_.get(), name);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  (void)::unlinkat(run_directory_.get(), name.c_str(), 0);
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0) {
    listener_.reset();
  }
}

void Supervisor::greet() {
  control_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (control_.is_open() &&
      (::getsockopt(control_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
       peer.uid != ::geteuid())) {
    control_.reset();
  }
  report(SuperviseReport::Kind::hello);
}

void Supervisor::stop() {
  if (is_main_gone_) return;
  if (main_ == 0) {  // the command before it is still running
    is_over_ = true;
    return;
  }
  kill_at_ = boot_now() + job_.grace;
  thaw(::getpid());  // what is frozen takes no signal
  if (job_.stop_argv.empty()) return signal_main();
  if (hook_ != 0) return;
  std::vector<std::string> words = job_.stop_argv;
  constexpr std::string_view macro = "${PID}";
  const std::string main = std::to_string(main_);
  for (std::string& word : words) {
    for (std::size_t at = 0; (at = word.find(macro, at)) != std::string::npos;) {
      word.replace(at, macro.size(), main);
    }
  }
  if (!begin_hook(words, Place::beside, "stop.cmd") || hook_ != 0) return;
  (void)log_->take("hearth: " + std::exchange(hook_failure_, {}) + "\n");
  signal_main();
}

void Supervisor::signal_main() {
  // The whole group: a shell in front of the server would swallow the signal.
  if (::kill(-main_, job_.stop_signal) != 0) (void)::kill(main_, job_.stop_signal);
}

void Supervisor::reap() {
  signalfd_siginfo signal{};
  while (::read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGTERM) stop();
  }
  while (true) {
    int status = 0;
    const pid_t gone = ::waitpid(-1, &status, WNOHANG);
    if (gone <= 0) return;
    if (gone == hook_ && hook_ != 0) hook_ended(status);
    if (gone != main_ || main_ == 0) continue;
    main_status_ = status;
    is_main_gone_ = true;
    is_over_ = true;
  }
}

void Supervisor::kill_everything() {
  // As the subreaper we are the parent of every orphan: when there is no child left, nothing is.
  for (int round = 0; round < 5000; ++round) {
    group_.kill();
    kill_all(descendants(::getpid()));
    reap();
    if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) break;
    pollfd waited{signals_.get(), POLLIN, 0};
    (void)::poll(&waited, 1, 2);
  }
}

}  // namespace

int supervise_main(int argc, char** argv) {
  constexpr auto supervise = [] {
    Supervisor supervisor;
    return supervisor.run();
  };
  if (argc > 1 && argv[1] == keeper_argument) return keep_supervisors(argv, supervise);
  return supervise();
}

}  // namespace hearth

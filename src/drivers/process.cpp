#include "drivers/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "drivers/keeper.h"
#include "drivers/probe.h"
#include "drivers/process_group.h"
#include "drivers/process_instance.h"
#include "runtime/clock.h"
#include "runtime/component_group.h"
#include "runtime/mutex.h"
#include "runtime/oom_score.h"
#include "runtime/paging.h"
#include "runtime/processes.h"

namespace hearth {

std::string expand_macros(std::string_view text, int port, std::string_view state_dir) {
  std::string result;
  while (!text.empty()) {
    if (text.starts_with("${PORT}")) {
      result += std::to_string(port);
      text.remove_prefix(7);
    } else if (text.starts_with("${STATE_DIR}")) {
      result += state_dir;
      text.remove_prefix(12);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

namespace {

constexpr Duration probe_step = 5ms;
constexpr Duration probe_step_max = 100ms;
constexpr Duration probe_quick_time = 2s;
// One answer is waited for so long, and for the next twice as long, up to the maximum.
constexpr Duration probe_patience = 1s;
constexpr Duration probe_patience_max = 8s;
constexpr Duration probe_silence = 100ms;  // waited for at least so long, it is a finding

// Ports given to loads under way, so that two of them never get the same one.
class Ports {
 public:
  Result<int> take() {
    const MutexLock lock{mutex_};
    for (int attempt = 0; attempt < 64; ++attempt) {
      const int port = HEARTH_TRY(free_port());
      if (taken_.insert(port).second) return port;
    }
    return fail(Errc::io, "no free port of loopback was found");
  }
  void give_back(int port) {
    const MutexLock lock{mutex_};
    taken_.erase(port);
  }

 private:
  Mutex mutex_;
  std::set<int> taken_ HEARTH_GUARDED_BY(mutex_);
};

bool names_port(const Launch& launch) {
  const auto holds = [](const std::string& text) { return text.find("PORT") != std::string::npos; };
  return std::ranges::any_of(launch.argv, holds) ||
         std::ranges::any_of(launch.env, [&](const auto& pair) { return holds(pair.second); });
}

bool mentions_port(const Launch& launch) { return launch.port || names_port(launch); }

int open_process(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

// One load: from the job to an instance that is ready and warm.
class Loading {
 public:
  // `place`: which of the processes side by side, from 1.
  Loading(const LoadJob& job, Keeper& keeper, Ports& ports, int stop_fd, unsigned place)
      : job_(job),
        place_(place),
        keeper_(keeper),
        ports_(ports),
        deadline_(boot_now() + job.timeout),
        stop_fd_(stop_fd) {}
  ~Loading() {
    if (is_port_ours_) ports_.give_back(port_);
  }
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  Result<std::unique_ptr<ProcessInstance>> run();

 private:
  Result<> choose_port();
  Result<> prepare();
  void describe_endpoint();
  Result<> start();
  Result<> await_ready();
  Result<> warm_up();
  Result<bool> probe();
  [[nodiscard]] std::string lateness() const;
  std::unexpected<Error> explain(Errc code, const std::string& what);
  [[nodiscard]] std::string expanded(std::string_view text) const {
    return expand_macros(text, port_, job_.state_dir);
  }

  // A log of its own: two writers would turn one over each other.
  [[nodiscard]] std::string log_path() const {
    if (place_ == 1) return job_.log_path;
    const std::size_t dot = job_.log_path.rfind('.');
    return job_.log_path.substr(0, dot) + "#" + std::to_string(place_) +
           (dot == std::string::npos ? "" : job_.log_path.substr(dot));
  }

  const LoadJob& job_;
  unsigned place_;
  Keeper& keeper_;
  Ports& ports_;
  Instant deadline_;
  int stop_fd_;
  int port_ = 0;
  bool is_port_ours_ = false;
  Duration patience_ = probe_patience;
  bool is_told_ready_ = false;
  std::string last_failure_;  // of the probe
  SuperviseJob supervise_;
  std::unique_ptr<ProcessInstance> instance_;
  std::array<int, 2> interrupts_{};  // the supervisor's socket and the stop
};

Result<std::unique_ptr<ProcessInstance>> Loading::run() {
  HEARTH_TRY(choose_port());
  HEARTH_TRY(prepare());
  HEARTH_TRY(start());
  auto ready = await_ready();
  if (ready) ready = warm_up();
  if (!ready) {
    (void)instance_->kill();
    return std::unexpected{ready.error()};
  }
  SuperviseOrder order;
  order.kind = SuperviseOrder::Kind::ready;
  (void)send_order(instance_->exit_fd(), order);
  return std::move(instance_);
}

Result<> Loading::choose_port() {
  const std::string& name = job_.launch.name;
  if (!job_.launch.port) {
    port_ = HEARTH_TRY(ports_.take());
    is_port_ours_ = true;
    return {};
  }
  port_ = *job_.launch.port;
  if (is_port_free(port_)) return {};
  return fail(Errc::conflict, name + ": port " + std::to_string(port_) +
                                  " is taken by another program; stop it, or give " + name +
                                  " another port (without `port` a free one is chosen)");
}

Result<> Loading::prepare() {
  const Launch& launch = job_.launch;
  if (launch.argv.empty()) return fail(Errc::invalid, launch.name + ": `cmd` is empty");
  HEARTH_TRY(make_directories(job_.state_dir));
  HEARTH_TRY(make_directories(job_.run_dir));
  HEARTH_TRY(make_directories(std::filesystem::path{job_.log_path}.parent_path().string()));
  supervise_.name = launch.name + (place_ > 1 ? "#" + std::to_string(place_) : "");
  supervise_.work = job_.work;
  for (const std::string& argument : launch.argv) supervise_.argv.push_back(expanded(argument));
  supervise_.is_shell = launch.is_shell;
  for (const auto& [key, value] : launch.env) supervise_.env.emplace_back(key, expanded(value));
  const auto expand_all = [&](const std::vector<std::string>& words) {
    std::vector<std::string> all;
    for (const std::string& word : words) all.push_back(expanded(word));
    return all;
  };
  supervise_.before = expand_all(launch.before);
  supervise_.after = expand_all(launch.after);
  supervise_.stop_argv = expand_all(launch.stop.argv);
  supervise_.of = launch.instances;
  const std::string mark = instance_mark(job_.run_dir, job_.work, supervise_.name);
  supervise_.env.insert(supervise_.env.end(),
                        {{"PORT", std::to_string(port_)},
                         {"STATE_DIR", job_.state_dir},
                         {"HEARTH_COMPONENT", launch.name},
                         {"HEARTH_PLACE", std::to_string(place_)},
                         {"HEARTH_RUN_DIR", job_.run_dir},
                         {"HEARTH_INSTANCE", mark.substr(mark.find('=') + 1)}});
  supervise_.directory = launch.directory.empty() ? job_.state_dir : expanded(launch.directory);
  std::error_code error;
  if (!std::filesystem::is_directory(supervise_.directory, error)) {
    return fail(Errc::not_found, launch.name + ": its working directory " + supervise_.directory +
                                     " does not exist");
  }
  supervise_.log_path = log_path();
  supervise_.run_dir = job_.run_dir;
  if (launch.ready.kind == ReadyProbe::Kind::stdout_line) {
    supervise_.ready_line = expanded(launch.ready.value);
  }
  supervise_.is_notified = launch.ready.kind == ReadyProbe::Kind::notify;
  supervise_.is_kept = launch.on_exit == OnExit::keep;
  supervise_.memory_max = launch.limits.memory_max.value_or(Bytes{}).count;
  supervise_.pids_max = launch.limits.pids_max.value_or(0);
  supervise_.cpu_us = static_cast<std::uint64_t>(launch.limits.cpus.value_or(0) * 100'000);
  supervise_.oom_score_adj = oom_score_for(job_.priority, own_oom_score());
  supervise_.stop_signal = launch.stop.signal;
  supervise_.grace = launch.stop.grace;
  supervise_.stop_path = expanded(launch.stop.path);
  if (launch.ready.kind == ReadyProbe::Kind::http) {
    supervise_.probe_path = expanded(launch.ready.value);
  }
  describe_endpoint();
  return {};
}

void Loading::describe_endpoint() {
  const ReadyProbe& ready = job_.launch.ready;
  int port = port_;
  bool has_port = mentions_port(job_.launch) || ready.kind == ReadyProbe::Kind::http ||
                  ready.kind == ReadyProbe::Kind::tcp;
  if (ready.kind == ReadyProbe::Kind::tcp && !ready.value.empty()) {
    const std::string value = expanded(ready.value);
    has_port = std::from_chars(value.data(), value.data() + value.size(), port).ec == std::errc{};
  }
  if (ready.kind == ReadyProbe::Kind::unix_socket) {
    supervise_.endpoint = "unix:" + expanded(ready.value);
  } else if (has_port) {
    supervise_.endpoint = "http://127.0.0.1:" + std::to_string(port);
  }
}

Result<> Loading::start() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Errc::io, job_.launch.name + ": socketpair: " + error_text(errno));
  }
  ProcessInstance::Parts parts;
  parts.job = supervise_;
  parts.control.reset(ends[0]);
  const Descriptor theirs{ends[1]};
  const int size = 1024 * 1024;
  (void)::setsockopt(parts.control.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  parts.supervisor = HEARTH_TRY(keeper_.spawn(supervise_.name, theirs.get()));
  parts.process.reset(open_process(parts.supervisor));
  interrupts_ = {parts.control.get(), stop_fd_};
  SuperviseOrder order;
  order.job = supervise_;
  const bool is_sent = send_order(parts.control.get(), order);
  instance_ = std::make_unique<ProcessInstance>(std::move(parts));
  if (!is_sent) {
    const int error = errno;
    (void)instance_->kill();
    return fail(Errc::io, job_.launch.name + ": its supervisor cannot be told what to start: " +
                              error_text(error));
  }
  return {};
}

// The reason with what is known besides: how it ended, its last line.
std::unexpected<Error> Loading::explain(Errc code, const std::string& what) {
  const auto report = instance_->kill();
  std::string text = job_.launch.name + ": " + what;
  if (report && !report->last_line.empty()) text += "; last line: " + report->last_line;
  return fail(code, text + " (log: " + log_path() + ")");
}

// True when it is ready; an error when it can never be.
Result<bool> Loading::probe() {
  const Launch& launch = job_.launch;
  Result<> result;
  switch (launch.ready.kind) {
    case ReadyProbe::Kind::started:
    case ReadyProbe::Kind::stdout_line:
    case ReadyProbe::Kind::notify:
      return is_told_ready_;
    case ReadyProbe::Kind::http: {
      const std::string path = expanded(launch.ready.value);
      const Instant began = boot_now();
      const auto status = exchange({.port = port_, .method = "GET", .path = path, .body = {}},
                                   {std::min(deadline_, began + patience_), interrupts_});
      if (status && *status / 100 == 2) return true;
      if (!status && status.error().code == Errc::timed_out) {
        patience_ = std::min(patience_ * 2, probe_patience_max);
        // An answer that the deadline cut short says less than the one before it.
        if (boot_now() - began < probe_silence && !last_failure_.empty()) return false;
      }
      last_failure_ = "GET http://127.0.0.1:" + std::to_string(port_) + path + ": " +
                      (status ? "status " + std::to_string(*status) : status.error().detail);
      return false;
    }
    case ReadyProbe::Kind::tcp: {
      const std::size_t colon = supervise_.endpoint.rfind(':');
      int port = port_;
      (void)std::from_chars(supervise_.endpoint.data() + colon + 1,
                            supervise_.endpoint.data() + supervise_.endpoint.size(), port);
      result = probe_tcp(port, {deadline_, interrupts_});
      last_failure_ = "connecting to port " + std::to_string(port);
      break;
    }
    case ReadyProbe::Kind::unix_socket:
      result = probe_unix(expanded(launch.ready.value), {deadline_, interrupts_});
      last_failure_ = "connecting to " + expanded(launch.ready.value);
      break;
  }
  if (!result) last_failure_ += ": " + result.error().detail;
  return result.has_value();
}

std::string Loading::lateness() const {
  std::array<char, 32> limit{};
  (void)std::snprintf(limit.data(), limit.size(), "%g s",
                      seconds(job_.limit > Duration{0} ? job_.limit : job_.timeout));
  std::string text = "not ready after " + std::string{limit.data()};
  if (!last_failure_.empty()) text += " (" + last_failure_ + ")";
  const ReadyProbe& ready = job_.launch.ready;
  const bool is_probed_there = ready.kind == ReadyProbe::Kind::http ||
                               (ready.kind == ReadyProbe::Kind::tcp && ready.value.empty());
  if (is_port_ours_ && is_probed_there && !names_port(job_.launch)) {
    text += "; its command never mentions ${PORT}: pass it, or declare `port: N`";
  }
  return text + "; raise its `timeout` (or `loading.timeout`) or mend its start";
}

Result<> Loading::await_ready() {
  const Instant quick_until = boot_now() + probe_quick_time;
  const ReadyProbe::Kind kind = job_.launch.ready.kind;
  const bool is_told = kind == ReadyProbe::Kind::started || kind == ReadyProbe::Kind::stdout_line ||
                       kind == ReadyProbe::Kind::notify;
  Duration step = is_told ? job_.timeout : probe_step;
  bool is_started = false;
  while (true) {
    bool would_block = false;
    const auto report = receive_report(interrupts_[0], &would_block);
    if (!report && !would_block) return explain(Errc::failed, "its supervisor ended unexpectedly");
    if (report) {
      switch (report->kind) {
        case SuperviseReport::Kind::started:
          is_started = true;
          instance_->set_process(report->process, report->group);
          if (kind == ReadyProbe::Kind::started) is_told_ready_ = true;
          break;
        case SuperviseReport::Kind::ready:
          is_told_ready_ = true;
          break;
        case SuperviseReport::Kind::spawn_failed:
          return explain(Errc::not_found, "cannot start `" + supervise_.argv.front() + "`: " +
                                              report->text + "; check its `cmd`, or install it");
        case SuperviseReport::Kind::exited:
          (void)instance_->kill();
          return fail(Errc::failed,
                      job_.launch.name + ": ended before it was ready: " + report->text +
                          (report->last_line.empty() ? "" : "; last line: " + report->last_line) +
                          " (log: " + log_path() + ")");
        case SuperviseReport::Kind::hello:
          break;
      }
      if (kind != ReadyProbe::Kind::http && !is_told_ready_) continue;
    }
    if (is_started && HEARTH_TRY(probe())) return {};
    const std::array<int, 1> stop{stop_fd_};
    if (wait_interrupted({boot_now(), stop}, 0s)) {
      return explain(Errc::unavailable, "its load was cancelled");
    }
    if (boot_now() >= deadline_) {
      return explain(Errc::timed_out, lateness());
    }
    (void)wait_interrupted({deadline_, interrupts_}, is_started ? step : job_.timeout);
    if (!is_told && boot_now() > quick_until) step = std::min(step + step / 4, probe_step_max);
  }
}

Result<> Loading::warm_up() {
  const auto& warmup = job_.launch.warmup;
  if (!warmup) return {};
  const ProbeRequest request{.port = port_,
                             .method = warmup->method,
                             .path = expanded(warmup->path),
                             .body = expanded(warmup->body)};
  const auto status = exchange(request, {deadline_, interrupts_});
  if (status && *status / 100 == 2) return {};
  const std::string what =
      "its warm-up request " + request.method + " " + request.path +
      " failed: " + (status ? "status " + std::to_string(*status) : status.error().detail);
  return explain(status ? Errc::failed : status.error().code, what);
}

class ProcessDriver : public Driver {
 public:
  explicit ProcessDriver(ProcessDriverOptions options)
      : keeper_(std::move(options.supervisor), options.open_files) {}

  [[nodiscard]] std::string_view kind() const override { return "process"; }
  [[nodiscard]] Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                       std::stop_token stop) override;
  [[nodiscard]] std::vector<Adopted> adopt(const std::string& run_dir) override;
  [[nodiscard]] Result<> can_hibernate() const override { return can_page_out(); }

 private:
  [[nodiscard]] Result<std::unique_ptr<Instance>> load_several(const LoadJob& job, unsigned count,
                                                               int stop_fd);

  Keeper keeper_;
  Ports ports_;
};

Result<std::unique_ptr<Instance>> ProcessDriver::load(const LoadJob& job, std::stop_token stop) {
  const Descriptor stopped{::eventfd(0, EFD_CLOEXEC)};
  const std::stop_callback on_stop{stop, [&] {
                                     const std::uint64_t one = 1;
                                     (void)::write(stopped.get(), &one, sizeof one);
                                   }};
  const unsigned count = job.launch.instances;
  if (count <= 1) {
    Loading loading{job, keeper_, ports_, stopped.get(), 1};
    return HEARTH_TRY(loading.run());
  }
  return load_several(job, count, stopped.get());
}

// All at once; when one of them fails the others are given up.
Result<std::unique_ptr<Instance>> ProcessDriver::load_several(const LoadJob& job, unsigned count,
                                                              int stop_fd) {
  std::vector<Result<std::unique_ptr<ProcessInstance>>> loaded(count);
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        Loading loading{job, keeper_, ports_, stop_fd, i + 1};
        loaded[i] = loading.run();
        const std::uint64_t one = 1;
        if (!loaded[i]) (void)::write(stop_fd, &one, sizeof one);  // the others need not go on
      });
    }
  }
  std::vector<std::unique_ptr<ProcessInstance>> all;
  std::optional<Error> failure;
  for (auto& one : loaded) {
    if (one) {
      all.push_back(*std::move(one));
    } else if (!failure || failure->code == Errc::unavailable) {
      failure = one.error();  // rather than that of one that was only given up
    }
  }
  if (!failure) return std::make_unique<ProcessGroup>(std::move(all));
  for (const auto& one : all) (void)one->kill();
  return std::unexpected{*failure};
}

std::unique_ptr<ProcessInstance> greet(int directory, const std::string& name) {
  ProcessInstance::Parts parts;
  parts.control.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = short_socket_path(directory, name);
  if (path.size() >= sizeof address.sun_path) return nullptr;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(parts.control.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return nullptr;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  pollfd waited{parts.control.get(), POLLIN, 0};
  if (::getsockopt(parts.control.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.uid != ::geteuid() || ::poll(&waited, 1, 5000) != 1) {
    return nullptr;
  }
  auto hello = receive_report(parts.control.get());
  if (!hello || hello->kind != SuperviseReport::Kind::hello) return nullptr;
  parts.job = std::move(hello->job);
  parts.supervisor = peer.pid;
  parts.process.reset(open_process(peer.pid));
  parts.main_process = hello->process;
  parts.group = hello->group;
  return std::make_unique<ProcessInstance>(std::move(parts));
}

bool is_healthy(const ProcessInstance& instance) {
  const std::string endpoint = instance.endpoint();
  const std::array<int, 1> interrupts{instance.exit_fd()};
  const ProbeWait wait{boot_now() + 2s, interrupts};
  if (endpoint.starts_with("unix:")) return probe_unix(endpoint.substr(5), wait).has_value();
  int port = 0;
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos) return true;
  (void)std::from_chars(endpoint.data() + colon + 1, endpoint.data() + endpoint.size(), port);
  return probe_tcp(port, wait).has_value();
}

std::vector<Adopted> ProcessDriver::adopt(const std::string& run_dir) {
  (void)keeper_.start();
  std::map<std::string, std::vector<std::unique_ptr<ProcessInstance>>> found;
  std::set<pid_t> known;
  const Descriptor directory{::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{run_dir, error}) {
    if (entry.path().extension() != ".sock" || !directory.is_open()) continue;
    const std::string file = entry.path().filename().string();
    auto instance = greet(directory.get(), file);
    // The daemon before may have left it asleep.
    if (instance) thaw(instance->supervisor());
    if (instance && !is_healthy(*instance)) {
      (void)instance->kill();
      instance.reset();
    }
    if (!instance) {
      (void)::unlinkat(directory.get(), file.c_str(), 0);
      continue;
    }
    const std::string name = file.substr(0, file.size() - std::string_view{".sock"}.size());
    found[name.substr(0, name.find('#'))].push_back(std::move(instance));
  }
  std::vector<Adopted> adopted;
  for (auto& [name, all] : found) {
    const WorkId work = all.front()->work();
    // Of several side by side, all or none.
    if (all.size() != all.front()->siblings()) {
      for (const auto& one : all) (void)one->kill();
      continue;
    }
    for (const auto& one : all) {
      known.insert(one->supervisor());
      for (const pid_t pid : descendants(one->supervisor())) known.insert(pid);
    }
    std::unique_ptr<Instance> instance;
    if (all.size() == 1) {
      instance = std::move(all.front());
    } else {
      instance = std::make_unique<ProcessGroup>(std::move(all));
    }
    adopted.push_back({name, work, std::move(instance)});
  }
  // What a supervisor that was killed too has left behind.
  for (int round = 0; round < 100; ++round) {
    std::vector<pid_t> strays = marked_processes("HEARTH_RUN_DIR=" + run_dir);
    std::erase_if(strays, [&](pid_t pid) { return known.contains(pid); });
    if (strays.empty()) break;
    kill_all(strays);
    (void)::poll(nullptr, 0, 10);
  }
  ComponentGroup::remove_stale();
  return adopted;
}

}  // namespace

std::unique_ptr<Driver> make_process_driver(ProcessDriverOptions options) {
  return std::make_unique<ProcessDriver>(std::move(options));
}

}  // namespace hearth

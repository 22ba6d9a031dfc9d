#include "drivers/unit.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <sstream>
#include <stop_token>
#include <thread>
#include <utility>

#include "drivers/command.h"
#include "drivers/probe.h"
#include "drivers/run_record.h"
#include "runtime/clock.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

constexpr Duration first_look_step = 10ms;
constexpr unsigned unknown_max = 3;  // so often a manager that cannot be asked is asked
constexpr unsigned misses_max = 2;   // who restarts it takes it away for a moment
constexpr Duration probe_step = 10ms;
constexpr Duration probe_patience = 1s;
constexpr std::string_view record_suffix = ".unit";

// What is started and stopped, as it is written down for the next daemon.
struct Record {
  std::string name;
  WorkId work;
  std::string unit;
  bool is_of_user = false;
  std::string container;
  std::string engine;
  std::vector<std::string> start;
  std::vector<std::string> stop;
  Duration grace{0};
  std::string endpoint;
  template <class A>
  void fields(A& a) {
    a(name, work, unit, is_of_user, container, engine, start, stop, grace, endpoint);
  }
};

enum class UnitState : unsigned char { gone, starting, running, stopping };

struct Sight {
  UnitState state = UnitState::gone;
  int process = 0;  // its main process; 0: none
};

enum class Ended : unsigned char { gone, not_yet, unknown };

// `ActiveState` of systemd.
UnitState unit_state(std::string_view text) {
  if (text == "active" || text == "reloading" || text == "refreshing") return UnitState::running;
  if (text == "activating") return UnitState::starting;
  return text == "deactivating" ? UnitState::stopping : UnitState::gone;
}

// `State.Status` of docker and podman.
UnitState container_state(std::string_view text) {
  if (text == "running" || text == "paused") return UnitState::running;
  if (text == "restarting") return UnitState::starting;
  return text == "stopping" || text == "removing" ? UnitState::stopping : UnitState::gone;
}

// "Error: No such object: asr"; not "dial unix /run/docker.sock: no such file or directory".
bool says_removed(std::string_view detail) {
  return detail.find("o such object") != std::string_view::npos ||
         detail.find("o such container") != std::string_view::npos;
}

// False: the stop came first.
bool pause(Duration span, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock{mutex};
  return !woken.wait_for(lock, stop, span, [&] { return stop.stop_requested(); });
}

int number_in(std::string_view text) {
  int number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Speaks to the service manager or the container engine.
class UnitControl {
 public:
  UnitControl(Record record, UnitDriverOptions options)
      : record_(std::move(record)), options_(options) {}

  [[nodiscard]] const Record& record() const { return record_; }

  Result<> start(Instant deadline, std::stop_token stop) {
    HEARTH_TRY(find_engine());
    std::vector<std::string> words = record_.start;
    if (words.empty()) words = is_unit() ? systemctl({"start"}) : engine({"start"});
    const auto done = run_command(words, deadline, std::move(stop));
    return done ? Result<>{} : explain(done.error());
  }

  // Told once; it may be there still.
  Result<> stop() {
    HEARTH_TRY(find_engine());
    std::vector<std::string> words = record_.stop;
    if (words.empty()) {
      const auto whole = std::chrono::duration_cast<std::chrono::seconds>(record_.grace).count();
      words = is_unit() ? systemctl({"stop"}) : engine({"stop", "-t", std::to_string(whole)});
    }
    const auto done = run_command(words, boot_now() + record_.grace + options_.question_time_max);
    return done ? Result<>{} : explain(done.error());
  }

  Result<Sight> look(const std::stop_token& stop = {}) {
    HEARTH_TRY(find_engine());
    const auto shown =
        run_command(is_unit() ? systemctl({"show", "-p", "ActiveState", "-p", "MainPID"})
                              : engine({"inspect", "--format", "{{.State.Status}} {{.State.Pid}}"}),
                    boot_now() + options_.question_time_max, stop);
    if (!shown) {
      const bool is_removed =
          !is_unit() && shown.error().code == Errc::failed && says_removed(shown.error().detail);
      return is_removed ? Result<Sight>{} : explain(shown.error());
    }
    Sight sight;
    if (is_unit()) {
      std::istringstream lines{*shown};
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("ActiveState=")) sight.state = unit_state(line.substr(12));
        if (line.starts_with("MainPID=")) sight.process = number_in(line.substr(8));
      }
    } else {
      std::istringstream words{*shown};
      std::string state;
      words >> state >> sight.process;
      sight.state = container_state(state);
    }
    if (sight.state == UnitState::gone) sight.process = 0;
    return sight;
  }

  // Has it stopped, and blocks until it is gone or the time is over.
  // `main_process`: readable once that has ended, or -1.
  Ended end(int main_process, Instant until) {
    unsigned unknown = 0;
    bool is_stopping = false;
    for (Duration step = first_look_step;; step = std::min(step * 2, options_.look_period)) {
      if (!is_stopping) (void)stop();  // whether that helped is asked
      const auto sight = look();
      if (sight && sight->state == UnitState::gone) return Ended::gone;
      if (!sight && main_process >= 0 && has_ended(main_process)) return Ended::gone;
      is_stopping = sight && sight->state == UnitState::stopping;
      unknown = sight || main_process >= 0 ? 0 : unknown + 1;
      if (unknown == unknown_max) return Ended::unknown;
      if (boot_now() >= until) return sight ? Ended::not_yet : Ended::unknown;
      (void)pause(step, {});
    }
  }
  // What a load that has failed gives it to stop.
  [[nodiscard]] Instant patience() const {
    return boot_now() + record_.grace + options_.question_time_max;
  }

 private:
  [[nodiscard]] bool is_unit() const { return !record_.unit.empty(); }
  [[nodiscard]] std::vector<std::string> systemctl(std::vector<std::string> words) const {
    std::vector<std::string> all{"systemctl"};
    if (record_.is_of_user) all.emplace_back("--user");
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--", record_.unit});
    return all;
  }
  [[nodiscard]] std::vector<std::string> engine(std::vector<std::string> words) const {
    words.insert(words.begin(), record_.engine);
    words.push_back(record_.container);
    return words;
  }
  static bool has_ended(int process) {
    pollfd waited{process, POLLIN, 0};
    return ::poll(&waited, 1, 0) > 0;
  }
  Result<> find_engine() {
    if (is_unit() || !record_.engine.empty()) return {};
    for (const char* name : {"docker", "podman"}) {
      const auto answered =
          run_command({name, "--version"}, boot_now() + options_.question_time_max);
      if (!answered) continue;
      record_.engine = name;
      return {};
    }
    return fail(Errc::not_found,
                record_.name + ": neither docker nor podman is there: install one");
  }
  [[nodiscard]] std::unexpected<Error> explain(const Error& error) const {
    return fail(error.code, record_.name + ": " + error.detail);
  }

  Record record_;
  UnitDriverOptions options_;
};

// The folder of the control group that holds its memory; empty when it is not its own.
std::string group_of(int process) {
  const auto groups_of = [](const std::string& who) {
    return read_file("/proc/" + who + "/cgroup").value_or("");
  };
  const std::string ours = groups_of("self");
  std::istringstream lines{groups_of(std::to_string(process))};
  std::string folder;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.rfind(':');
    const bool is_v2 = line.starts_with("0::");
    const bool is_memory = line.find(":memory:") != std::string::npos;
    if (colon == std::string::npos || (!is_v2 && !is_memory)) continue;
    const std::string path = line.substr(colon + 1);
    if (path == "/" || ("\n" + ours).find("\n" + line + "\n") != std::string::npos) continue;
    const std::string found = std::string{"/sys/fs/cgroup"} + (is_v2 ? "" : "/memory") + path;
    if (::access((found + "/memory.stat").c_str(), R_OK) == 0) folder = found;
  }
  return folder;
}

class UnitInstance : public Instance {
 public:
  UnitInstance(UnitControl control, Sight sight, std::string record, Duration look_period)
      : control_(std::move(control)),
        process_(sight.process),
        record_(std::move(record)),
        exit_(process_ > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, process_, 0)) : -1),
        group_(process_ > 0 ? group_of(process_) : "") {
    if (exit_.is_open()) {
      main_process_ = exit_.get();
      return;
    }
    exit_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    watch_ = std::jthread{[this, look_period, control = control_](const std::stop_token& stop) {
      watch_state(control, look_period, stop);
    }};
  }

  [[nodiscard]] std::string endpoint() const override { return control_.record().endpoint; }
  [[nodiscard]] int process() const override { return process_; }
  [[nodiscard]] int supervisor() const override { return 0; }
  [[nodiscard]] int exit_fd() const override { return exit_.get(); }
  [[nodiscard]] std::string exit_detail() override {
    return control_.record().name + (main_process_ >= 0
                                         ? ": its main process has ended, and not for us"
                                         : ": it does not run any more, and not for us");
  }
  [[nodiscard]] MemoryFigures measure() const override {
    if (!group_.empty()) {
      const auto text = read_file(group_ + "/memory.stat");
      if (text) {
        MemoryFigures figures = parse_memory_stat(*text);
        const auto swapped = read_file(group_ + "/memory.swap.current");
        std::uint64_t bytes = 0;
        if (swapped)
          (void)std::from_chars(swapped->data(), swapped->data() + swapped->size(), bytes);
        figures.anonymous = figures.anonymous + Bytes{bytes};
        return figures;
      }
    }
    return process_ > 0 ? tree_memory(process_) : MemoryFigures{};
  }
  void unload() override { (void)end(Instant::never()); }
  // What may be there still is known to the next load and the next daemon.
  Ended end(Instant until) {
    watch_ = std::jthread{};
    const Ended ended = control_.end(main_process_, until);
    if (ended == Ended::gone) remove_record(record_);
    return ended;
  }

 private:
  // Until it is gone. A manager that cannot be asked does not say so.
  void watch_state(UnitControl control, Duration period, const std::stop_token& stop) {
    unsigned misses = 0;
    while (misses < misses_max && pause(period, stop)) {
      const auto sight = control.look(stop);
      if (stop.stop_requested()) return;
      if (sight) misses = sight->state == UnitState::gone ? misses + 1 : 0;
    }
    if (misses < misses_max) return;
    const std::uint64_t one = 1;
    (void)::write(exit_.get(), &one, sizeof one);
  }

  UnitControl control_;
  const int process_;
  const std::string record_;
  Descriptor exit_;
  int main_process_ = -1;  // readable once it has ended
  const std::string group_;
  std::jthread watch_;  // the last: it uses the rest
};

class UnitDriver : public Driver {
 public:
  explicit UnitDriver(UnitDriverOptions options) : options_(options) {}

  [[nodiscard]] std::string_view kind() const override { return "unit"; }
  [[nodiscard]] Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                       std::stop_token stop) override;
  [[nodiscard]] std::vector<Adopted> adopt(const std::string& run_dir) override;

 private:
  [[nodiscard]] Result<Sight> await_running(UnitControl& control, const LoadJob& job,
                                            Instant deadline, const std::stop_token& stop) const;

  const UnitDriverOptions options_;
};

std::string endpoint_of(const Launch& launch) {
  const ReadyProbe& ready = launch.ready;
  if (ready.kind == ReadyProbe::Kind::unix_socket) return "unix:" + ready.value;
  if (launch.port) return "http://127.0.0.1:" + std::to_string(*launch.port);
  if (ready.kind == ReadyProbe::Kind::tcp) return "http://127.0.0.1:" + ready.value;
  return "";
}

Record record_of(const LoadJob& job) {
  const Launch& launch = job.launch;
  return {.name = launch.name,
          .work = job.work,
          .unit = launch.unit.unit,
          .is_of_user = launch.unit.is_of_user,
          .container = launch.unit.container,
          .engine = launch.unit.engine,
          .start = launch.argv,
          .stop = launch.stop.argv,
          .grace = launch.stop.grace,
          .endpoint = endpoint_of(launch)};
}

int port_in(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  return colon == std::string::npos ? 0 : number_in(std::string_view{endpoint}.substr(colon + 1));
}

// One look at whether it answers.
Result<> probe(const Launch& launch, Instant deadline, std::span<const int> interrupts) {
  const ReadyProbe& ready = launch.ready;
  const ProbeWait wait{std::min(deadline, boot_now() + probe_patience), interrupts};
  if (ready.kind == ReadyProbe::Kind::unix_socket) return probe_unix(ready.value, wait);
  const int port = port_in(endpoint_of(launch));
  if (ready.kind == ReadyProbe::Kind::tcp) {
    return probe_tcp(ready.value.empty() ? port : number_in(ready.value), wait);
  }
  if (ready.kind != ReadyProbe::Kind::http) return {};
  const int status =
      HEARTH_TRY(exchange({.port = port, .method = "GET", .path = ready.value, .body = {}}, wait));
  return status / 100 == 2
             ? Result<>{}
             : fail(Errc::failed, "GET " + ready.value + ": status " + std::to_string(status));
}

Result<> await_ready(const LoadJob& job, Instant deadline, const std::stop_token& stop,
                     std::span<const int> interrupts) {
  const std::string& name = job.launch.name;
  while (true) {
    const auto ready = probe(job.launch, deadline, interrupts);
    if (ready) break;
    if (stop.stop_requested()) return fail(Errc::unavailable, name + ": its load was cancelled");
    if (wait_interrupted({boot_now(), interrupts}, 0s)) {
      return fail(Errc::failed, name + ": ended before it was ready");
    }
    if (boot_now() >= deadline) {
      return fail(Errc::timed_out, name + ": not ready in time (" + ready.error().detail +
                                       "); raise its `timeout`, or mend its `port` or `ready`");
    }
    (void)wait_interrupted({deadline, interrupts}, probe_step);
  }
  const auto& warmup = job.launch.warmup;
  if (!warmup) return {};
  const auto status = exchange({.port = port_in(endpoint_of(job.launch)),
                                .method = warmup->method,
                                .path = warmup->path,
                                .body = warmup->body},
                               {deadline, interrupts});
  if (status && *status / 100 == 2) return {};
  return fail(status ? Errc::failed : status.error().code,
              name + ": its warm-up request " + warmup->path + " failed: " +
                  (status ? "status " + std::to_string(*status) : status.error().detail));
}

// What is being started is waited for: its manager may have said so before it was.
Result<Sight> UnitDriver::await_running(UnitControl& control, const LoadJob& job, Instant deadline,
                                        const std::stop_token& stop) const {
  const std::string& name = job.launch.name;
  for (Duration step = first_look_step;; step = std::min(step * 2, options_.look_period)) {
    const Sight sight = HEARTH_TRY(control.look(stop));
    if (sight.state == UnitState::running) return sight;
    if (sight.state == UnitState::gone) {
      return fail(Errc::failed, name + ": it was started, and does not run");
    }
    if (boot_now() >= deadline) {
      return fail(Errc::timed_out,
                  name + ": it is still being started; raise its `timeout`, or see why it hangs");
    }
    if (!pause(std::min<Duration>(step, deadline - boot_now()), stop)) {
      return fail(Errc::unavailable, name + ": its load was cancelled");
    }
  }
}

std::unexpected<Error> given_up(const Error& why, Ended ended) {
  return fail(why.code,
              why.detail +
                  (ended == Ended::not_yet ? "; it is there still: see why it does not stop" : ""));
}

Result<std::unique_ptr<Instance>> UnitDriver::load(const LoadJob& job, std::stop_token stop) {
  const Instant deadline = boot_now() + job.timeout;
  const Descriptor stopped{::eventfd(0, EFD_CLOEXEC)};
  const std::stop_callback on_stop{stop, [&] {
                                     const std::uint64_t one = 1;
                                     (void)::write(stopped.get(), &one, sizeof one);
                                   }};
  UnitControl control{record_of(job), options_};
  const std::string record = record_path(job.run_dir, job.launch.name, record_suffix);
  HEARTH_TRY(write_record(job.run_dir, record_suffix, control.record()));
  const auto give_up = [&](const Error& why) -> std::unexpected<Error> {
    const Ended ended = control.end(-1, control.patience());
    if (ended == Ended::gone) remove_record(record);
    return given_up(why, ended);
  };
  const auto started = control.start(deadline, stop);
  if (!started) return give_up(started.error());
  const auto running = await_running(control, job, deadline, stop);
  if (!running) return give_up(running.error());
  auto instance = std::make_unique<UnitInstance>(control, *running, record, options_.look_period);
  const std::vector<int> interrupts{stopped.get(), instance->exit_fd()};
  if (const auto ready = await_ready(job, deadline, stop, interrupts); !ready) {
    return given_up(ready.error(), instance->end(control.patience()));
  }
  return instance;
}

std::vector<Adopted> UnitDriver::adopt(const std::string& run_dir) {
  std::vector<Adopted> adopted;
  for (const Record& record : read_records<Record>(run_dir, record_suffix)) {
    UnitControl control{record, options_};
    const std::string path = record_path(run_dir, record.name, record_suffix);
    auto sight = control.look();
    if (sight && sight->state == UnitState::running) {
      adopted.push_back(
          {record.name, record.work,
           std::make_unique<UnitInstance>(std::move(control), *sight, path, options_.look_period)});
      continue;
    }
    if (sight && sight->state == UnitState::starting) {
      (void)control.stop();  // whether that helped is asked
      sight = control.look();
    }
    // What may be there still is known to the next load and the next daemon.
    const bool is_gone =
        sight ? sight->state == UnitState::gone : sight.error().code == Errc::not_found;
    if (is_gone) remove_record(path);
  }
  return adopted;
}

}  // namespace

MemoryFigures parse_memory_stat(std::string_view text) {
  MemoryFigures figures;
  std::istringstream lines{std::string{text}};
  std::string key;
  std::uint64_t bytes = 0;
  while (lines >> key >> bytes) {
    if (key == "anon" || key == "total_rss") figures.anonymous = figures.anonymous + Bytes{bytes};
    if (key == "shmem" || key == "total_swap") figures.anonymous = figures.anonymous + Bytes{bytes};
    if (key == "file" || key == "total_cache") figures.file_exclusive = Bytes{bytes};
    // Counted among the files as well, and freed like anonymous memory.
    if (key == "shmem") figures.file_shared = Bytes{bytes};
  }
  figures.file_exclusive =
      figures.file_exclusive - std::min(figures.file_exclusive, figures.file_shared);
  figures.file_shared = Bytes{};
  figures.pss = figures.anonymous + figures.file_exclusive;
  return figures;
}

std::unique_ptr<Driver> make_unit_driver(UnitDriverOptions options) {
  return std::make_unique<UnitDriver>(options);
}

}  // namespace hearth

#include "drivers/unit.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <utility>

#include "drivers/command.h"
#include "drivers/probe.h"
#include "drivers/run_record.h"
#include "runtime/clock.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

constexpr Duration question_time_max = 10s;
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

struct Running {
  bool is_running = false;
  int process = 0;
};

int number_in(std::string_view text) {
  int number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Speaks to the service manager or the container engine.
class UnitControl {
 public:
  explicit UnitControl(Record record) : record_(std::move(record)) {}

  [[nodiscard]] const Record& record() const { return record_; }

  Result<> start(Instant deadline, std::stop_token stop) {
    HEARTH_TRY(find_engine());
    std::vector<std::string> words = record_.start;
    if (words.empty()) words = is_unit() ? systemctl({"start"}) : engine({"start"});
    const auto done = run_command(words, deadline, std::move(stop));
    return done ? Result<>{} : explain(done.error());
  }

  Result<> stop() {
    HEARTH_TRY(find_engine());
    std::vector<std::string> words = record_.stop;
    if (words.empty()) {
      const auto whole = std::chrono::duration_cast<std::chrono::seconds>(record_.grace).count();
      words = is_unit() ? systemctl({"stop"}) : engine({"stop", "-t", std::to_string(whole)});
    }
    const auto done = run_command(words, boot_now() + record_.grace + question_time_max);
    return done ? Result<>{} : explain(done.error());
  }

  Result<Running> look() {
    HEARTH_TRY(find_engine());
    if (is_unit()) {
      const auto shown = run_command(systemctl({"show", "-p", "ActiveState", "-p", "MainPID"}),
                                     boot_now() + question_time_max);
      if (!shown) return explain(shown.error());
      Running running;
      std::istringstream lines{*shown};
      for (std::string line; std::getline(lines, line);) {
        if (line == "ActiveState=active") running.is_running = true;
        if (line.starts_with("MainPID=")) running.process = number_in(line.substr(8));
      }
      return running;
    }
    const auto shown =
        run_command(engine({"inspect", "--format", "{{.State.Running}} {{.State.Pid}}"}),
                    boot_now() + question_time_max);
    if (!shown) return explain(shown.error());
    const bool is_running = shown->starts_with("true ");
    return Running{is_running, is_running ? number_in(std::string_view{*shown}.substr(5)) : 0};
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
  Result<> find_engine() {
    if (is_unit() || !record_.engine.empty()) return {};
    for (const char* name : {"docker", "podman"}) {
      const auto answered = run_command({name, "--version"}, boot_now() + question_time_max);
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
  UnitInstance(UnitControl control, Running running, std::string record)
      : control_(std::move(control)),
        running_(running),
        record_(std::move(record)),
        exit_(running.process > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, running.process, 0))
                                  : -1),
        group_(running.process > 0 ? group_of(running.process) : "") {}

  [[nodiscard]] std::string endpoint() const override { return control_.record().endpoint; }
  [[nodiscard]] int process() const override { return running_.process; }
  [[nodiscard]] int supervisor() const override { return 0; }
  [[nodiscard]] int exit_fd() const override { return exit_.get(); }
  [[nodiscard]] std::string exit_detail() override {
    return control_.record().name + ": its main process has ended, and not for us";
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
    return running_.process > 0 ? tree_memory(running_.process) : MemoryFigures{};
  }
  void unload() override {
    // What cannot be stopped is found running by the next load, which takes it as it is.
    (void)control_.stop();
    remove_record(record_);
  }

 private:
  UnitControl control_;
  Running running_;
  std::string record_;
  Descriptor exit_;
  std::string group_;
};

class UnitDriver : public Driver {
 public:
  [[nodiscard]] std::string_view kind() const override { return "unit"; }
  [[nodiscard]] Result<std::unique_ptr<Instance>> load(const LoadJob& job,
                                                       std::stop_token stop) override;
  [[nodiscard]] std::vector<Adopted> adopt(const std::string& run_dir) override;
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

Result<std::unique_ptr<Instance>> UnitDriver::load(const LoadJob& job, std::stop_token stop) {
  const Instant deadline = boot_now() + job.timeout;
  const Descriptor stopped{::eventfd(0, EFD_CLOEXEC)};
  const std::stop_callback on_stop{stop, [&] {
                                     const std::uint64_t one = 1;
                                     (void)::write(stopped.get(), &one, sizeof one);
                                   }};
  UnitControl control{record_of(job)};
  const std::string record = record_path(job.run_dir, job.launch.name, record_suffix);
  HEARTH_TRY(write_record(job.run_dir, record_suffix, control.record()));
  const auto give_up = [&](const Error& why) -> std::unexpected<Error> {
    (void)control.stop();
    remove_record(record);
    return std::unexpected{why};
  };
  if (const auto started = control.start(deadline, stop); !started) return give_up(started.error());
  const auto running = control.look();
  if (!running) return give_up(running.error());
  if (!running->is_running) {
    return give_up({Errc::failed, job.launch.name + ": it was started, and does not run"});
  }
  auto instance = std::make_unique<UnitInstance>(control, *running, record);
  std::vector<int> interrupts{stopped.get()};
  if (instance->exit_fd() >= 0) interrupts.push_back(instance->exit_fd());
  if (const auto ready = await_ready(job, deadline, stop, interrupts); !ready) {
    return give_up(ready.error());
  }
  return instance;
}

std::vector<Adopted> UnitDriver::adopt(const std::string& run_dir) {
  std::vector<Adopted> adopted;
  for (const Record& record : read_records<Record>(run_dir, record_suffix)) {
    UnitControl control{record};
    const std::string path = record_path(run_dir, record.name, record_suffix);
    const auto running = control.look();
    if (!running || !running->is_running) {
      remove_record(path);
      continue;
    }
    adopted.push_back({record.name, record.work,
                       std::make_unique<UnitInstance>(std::move(control), *running, path)});
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

std::unique_ptr<Driver> make_unit_driver() { return std::make_unique<UnitDriver>(); }

}  // namespace hearth

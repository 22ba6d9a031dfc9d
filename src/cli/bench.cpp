#include "cli/bench.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <thread>

#include "cli/json.h"
#include "cli/link.h"
#include "cli/places.h"
#include "core/engine/engine.h"
#include "runtime/files.h"

extern char** environ;

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point begun) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begun).count();
}

Configuration bench_configuration(std::size_t components) {
  Configuration configuration;
  configuration.settings.budget = Bytes{components * (50_MiB).count};
  for (std::size_t i = 0; i < components; ++i) {
    Spec spec;
    spec.name = "component-" + std::to_string(i);
    spec.memory = 100_MiB;
    if (i % 4 == 1) spec.needs.push_back("component-" + std::to_string(i - 1));
    configuration.components.push_back(std::move(spec));
  }
  return configuration;
}

// An engine whose loads and unloads finish at once, with the time of each step kept by event
// kind.
class TimedEngine {
 public:
  void step(const Event::What& what) {
    pending_.push_back(what);
    // Each step can ask for more; the engine's queues are bounded, and so is this.
    while (!pending_.empty()) {
      const Event event{now_, pending_.front()};
      pending_.erase(pending_.begin());
      now_ = now_ + 1ms;
      actions_.clear();
      const auto begun = Clock::now();
      engine_.step(event, actions_);
      samples_[std::string{name_of(event)}].push_back(nanoseconds_since(begun));
      for (const Action& action : actions_) answer(action);
    }
  }
  [[nodiscard]] const std::map<std::string, std::vector<double>>& samples() const {
    return samples_;
  }

 private:
  void answer(const Action& action) {
    if (const auto* load = std::get_if<action::StartLoad>(&action)) {
      pending_.emplace_back(event::LoadFinished{load->work, WorkOutcome::done, 90_MiB, {}});
    } else if (const auto* unload = std::get_if<action::StartUnload>(&action)) {
      pending_.emplace_back(event::UnloadFinished{unload->work});
    } else if (const auto* gate = std::get_if<action::CloseGate>(&action)) {
      pending_.emplace_back(event::GateClosed{gate->component});
    }
  }

  Engine engine_;
  Instant now_;
  std::vector<Event::What> pending_;
  std::vector<Action> actions_;
  std::map<std::string, std::vector<double>> samples_;
};

Result<pid_t> spawn(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  }
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(Errc::io, words.front() + ": " + error_text(error));
  return pid;
}

// A daemon on a folder of its own; both are gone when it is.
class OwnDaemon {
 public:
  OwnDaemon() = default;
  OwnDaemon(const OwnDaemon&) = delete;
  OwnDaemon& operator=(const OwnDaemon&) = delete;
  ~OwnDaemon() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
      for (int tries = 0; tries < 500; ++tries) {
        if (::waitpid(pid_, nullptr, WNOHANG) != 0) break;
        std::this_thread::sleep_for(10ms);
        if (tries == 400) ::kill(pid_, SIGKILL);
      }
    }
    std::error_code code;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, code);
  }

  Result<> start(const std::string& program) {
    std::string pattern = std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return fail(Errc::io, error_text(errno));
    folder_ = pattern;
    const OrderedJson sleeper{{"cmd", {"sleep", "3600"}},
                              {"memory", "10MiB"},
                              {"keywords", {"sleep"}},
                              {"stop", {{"signal", "KILL"}}}};
    const OrderedJson config{{"listen", {{"http", "127.0.0.1:0"}}},
                             {"state", folder_ + "/state"},
                             {"memory", {{"budget", "1GiB"}}},
                             {"components", {{"sleeper", sleeper}, {"other", sleeper}}}};
    const std::string path = folder_ + "/hearth.yaml";
    const std::string text = dump_json(config, 1) + "\n";
    HEARTH_TRY(write_file(path, std::as_bytes(std::span{text})));
    pid_ = HEARTH_TRY(spawn({program, "serve", "--config", path}));
    for (int tries = 0; tries < 3000; ++tries) {
      if (const auto address = read_address(folder_ + "/state")) {
        url_ = address->http;
        return {};
      }
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = 0;
        return fail(Errc::failed, "the daemon of the benchmark ended at once");
      }
      std::this_thread::sleep_for(10ms);
    }
    return fail(Errc::timed_out, "the daemon of the benchmark does not listen");
  }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  std::string folder_;
  std::string url_;
  pid_t pid_ = 0;
};

Result<std::vector<double>> timed(std::size_t count, const std::function<Result<>()>& action) {
  std::vector<double> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begun = Clock::now();
    HEARTH_TRY(action());
    samples.push_back(nanoseconds_since(begun));
  }
  return samples;
}

Result<> spawn_and_reap() {
  const pid_t pid = HEARTH_TRY(spawn({"sleep", "3600"}));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return {};
}

}  // namespace

BenchFigure figure_of(std::string name, std::vector<double> samples) {
  if (samples.empty()) return {.name = std::move(name)};
  std::ranges::sort(samples);
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(samples.size()));
    return samples[std::min(index, samples.size() - 1)] / 1000;
  };
  return {
      .name = std::move(name), .count = samples.size(), .median_us = at(0.5), .p99_us = at(0.99)};
}

std::vector<BenchFigure> bench_engine(std::size_t components, std::size_t rounds) {
  TimedEngine engine;
  engine.step(event::Configured{bench_configuration(components)});
  for (std::size_t i = 0; i < rounds; ++i) {
    const RequestId request{i + 1};
    const ComponentId wanted{static_cast<std::uint32_t>(i * 7 % components)};
    engine.step(event::CommandReceived{.request = request,
                                       .command = CommandId{i + 1},
                                       .session = {},
                                       .intents = {{wanted, 1.0}},
                                       .lease = 0s});
    if (i % 8 == 0) engine.step(event::MemorySampled{8_GiB, {}});
    if (i % 4 == 0) engine.step(event::TimerFired{});
  }
  std::vector<BenchFigure> figures;
  for (const auto& [kind, samples] : engine.samples()) {
    if (samples.size() >= 100) figures.push_back(figure_of("step: " + kind, samples));
  }
  return figures;
}

Result<std::vector<BenchFigure>> bench_daemon(const std::string& program) {
  OwnDaemon daemon;
  HEARTH_TRY(daemon.start(program));
  Link link{HEARTH_TRY(Client::find({.url = daemon.url()}))};
  const OrderedJson command{{"text", "sleep"}, {"lease_ms", 0}};
  const auto post = [&](const std::string& path, const OrderedJson& body) -> Result<> {
    (void)HEARTH_TRY(link.post(path, body));
    return {};
  };
  HEARTH_TRY(post("/v1/commands", command));
  const OrderedJson nothing{{"text", "thank you"}, {"lease_ms", 0}};
  const auto get = [&]() -> Result<> {
    (void)HEARTH_TRY(link.get("/healthz"));
    return {};
  };
  const auto post_warm = [&] { return post("/v1/commands", command); };
  const auto post_nothing = [&] { return post("/v1/commands", nothing); };
  std::vector<BenchFigure> figures;
  figures.push_back(figure_of("GET /healthz", HEARTH_TRY(timed(2000, get))));
  figures.push_back(figure_of("POST /v1/commands, warm", HEARTH_TRY(timed(3000, post_warm))));
  figures.push_back(
      figure_of("POST /v1/commands, nothing needed", HEARTH_TRY(timed(3000, post_nothing))));

  std::vector<double> unloads;
  std::vector<double> loads;
  for (int i = 0; i < 50; ++i) {
    auto begun = Clock::now();
    HEARTH_TRY(post("/v1/components/other/unload", OrderedJson::object()));
    unloads.push_back(nanoseconds_since(begun));
    begun = Clock::now();
    HEARTH_TRY(post("/v1/components/other/load", OrderedJson::object()));
    loads.push_back(nanoseconds_since(begun));
  }
  figures.push_back(figure_of("load of sleep(1)", std::move(loads)));
  unloads.erase(unloads.begin());  // the first had nothing to unload
  figures.push_back(figure_of("unload of sleep(1)", std::move(unloads)));
  figures.push_back(
      figure_of("bare spawn and kill of sleep(1)", HEARTH_TRY(timed(50, spawn_and_reap))));
  return figures;
}

}  // namespace hearth

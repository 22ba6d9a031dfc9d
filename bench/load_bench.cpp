// What a load costs over a bare spawner that probes the same program in the same steps.
//
//   load_bench [--rounds N] [--daemon HEARTH]
//
// Prints, in milliseconds from the request to ready: a bare posix_spawn and probe; the process
// driver with its supervisor; and, given the binary, a load by HTTP through the whole daemon, and a
// swap through its gateway: two that do not fit together, and a request for the one that is away,
// until its answer. They take turns in each round, so that what disturbs the machine disturbs all.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/probe.h"
#include "drivers/process.h"
#include "net/http_client.h"
#include "runtime/clock.h"
#include "runtime/supervise.h"

extern char** environ;

namespace {

using namespace hearth;  // NOLINT: one program

constexpr Duration probe_step = 5ms;  // as the driver's
constexpr Duration patience = 30s;
constexpr int swapped_mib = 8;  // held by those that are swapped: two of them are over the budget

// The component: holds `mib`, listens after `delay_ms`, answers everything with 200.
int serve(int port, int delay_ms, int mib) {
  const std::vector<char> held(static_cast<std::size_t>(mib) << 20, 'x');
  ::usleep(static_cast<useconds_t>(delay_ms) * 1000);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 16) != 0) {
    return 9;
  }
  for (;;) {
    const int connection = ::accept(listener, nullptr, nullptr);
    if (connection < 0) return 9;
    char buffer[1024];
    (void)!::read(connection, buffer, sizeof buffer);
    constexpr std::string_view reply = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    (void)!::write(connection, reply.data(), reply.size());
    ::close(connection);
  }
}

std::string self() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

[[noreturn]] void stop(const std::string& why) {
  std::fprintf(stderr, "load_bench: %s\n", why.c_str());
  std::exit(1);
}

pid_t spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_t pid = 0;
  if (::posix_spawn(&pid, raw[0], nullptr, nullptr, raw.data(), environ) != 0) {
    stop("cannot start " + arguments[0]);
  }
  return pid;
}

void end(pid_t pid, int signal) {
  ::kill(pid, signal);
  (void)::waitpid(pid, nullptr, 0);
}

std::vector<std::string> component(std::string port, int delay_ms, int mib) {
  return {self(), "component", std::move(port), std::to_string(delay_ms), std::to_string(mib)};
}

Duration bare(int delay_ms, int mib) {
  const Instant begin = boot_now();
  const auto port = free_port();
  if (!port) stop(port.error().detail);
  const pid_t pid = spawn(component(std::to_string(*port), delay_ms, mib));
  const ProbeWait wait{begin + patience, {}};
  for (;;) {
    const auto status =
        exchange({.port = *port, .method = "GET", .path = "/health", .body = ""}, wait);
    if (status && *status == 200) break;
    if (boot_now() > wait.deadline) stop("the component never became ready");
    (void)wait_interrupted(wait, probe_step);
  }
  const Duration span = boot_now() - begin;
  end(pid, SIGKILL);
  return span;
}

Duration driven(Driver& driver, const std::string& folder, int delay_ms, std::uint64_t work) {
  LoadJob job;
  job.launch.name = "component";
  job.launch.argv = component("${PORT}", delay_ms, 0);
  job.launch.ready = {.kind = ReadyProbe::Kind::http, .value = "/health"};
  job.launch.stop.signal = SIGKILL;
  job.work = WorkId{work};
  job.state_dir = folder + "/driver/component";
  job.run_dir = folder + "/driver/run";
  job.log_path = folder + "/driver/component.log";
  job.timeout = patience;
  const Instant begin = boot_now();
  const auto instance = driver.load(job, {});
  const Duration span = boot_now() - begin;
  if (!instance) stop(instance.error().detail);
  (*instance)->unload();
  return span;
}

class Daemon {
 public:
  struct Options {
    std::string binary;
    std::string folder;
    int delays = 0;
    std::string budget = "4GiB";
    int mib = 0;  // of each component
  };

  explicit Daemon(const Options& options)
      : client_({.host = "localhost",
                 .socket_path = options.folder + "/state/hearth.sock",
                 .base_path = ""}) {
    std::filesystem::create_directories(options.folder);
    std::ofstream config(options.folder + "/hearth.yaml");
    config << "listen: {http: \"127.0.0.1:0\"}\nstate: " << options.folder << "/state\n"
           << "memory: {budget: " << options.budget << "}\nlog: {level: error}\ncomponents:\n";
    for (int delay = 0; delay < options.delays; ++delay) {
      config << "  delay" << delay << ":\n    cmd: [" << self() << ", component, \"${PORT}\", \""
             << delay << "\", \"" << options.mib << "\"]\n    ready: {http: /health}\n"
             << "    memory: 10MiB\n    stop: {signal: KILL}\n";
    }
    config.close();
    pid_ = spawn({options.binary, "serve", "--config", options.folder + "/hearth.yaml"});
    const Instant deadline = boot_now() + patience;
    while (!ask("GET", "/healthz")) {
      if (boot_now() > deadline) stop("the daemon does not answer");
      ::usleep(20'000);
    }
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon() { end(pid_, SIGTERM); }

  Duration load(int delay) {
    const std::string path = "/v1/components/delay" + std::to_string(delay);
    const Instant begin = boot_now();
    if (!ask("POST", path + "/load")) stop("the daemon refused to load");
    const Duration span = boot_now() - begin;
    if (!ask("POST", path + "/unload")) stop("the daemon refused to unload");
    return span;
  }

  // A request for a component that is away, while another has its memory.
  Duration swap(int delay) {
    const Instant begin = boot_now();
    const auto reply = ask("POST", "/v1/chat/completions",
                           R"({"model": "delay)" + std::to_string(delay) + R"("})");
    const Duration span = boot_now() - begin;
    if (!reply) stop("the gateway refused");
    if (reply->header("x-hearth-state") != "cold") stop("there was nothing to swap");
    return span;
  }

 private:
  std::optional<HttpReply> ask(const std::string& method, const std::string& path,
                               const std::string& body = "{}") {
    HttpCall call;
    call.method = method;
    call.path = path;
    if (method == "POST") {
      call.headers = {{"content-type", "application/json"}};
      call.body = body;
    }
    call.timeout = patience;
    auto reply = client_.send(call);
    if (!reply || reply->status != 200) return std::nullopt;
    return *std::move(reply);
  }

  HttpClient client_;
  pid_t pid_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const char* name, const std::vector<double>& values, const std::vector<double>& base) {
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  std::printf("%-28s p50 %7.2f ms  p90 %7.2f ms", name, median(values),
              sorted[sorted.size() * 9 / 10]);
  if (&values != &base) {
    std::vector<double> over;
    for (std::size_t i = 0; i < values.size(); ++i) over.push_back(values[i] - base[i]);
    std::printf("  over the bare spawner: p50 %+.2f ms", median(over));
  }
  std::printf("\n");
}

int measure(int rounds, const std::string& binary) {
  std::string folder = (std::filesystem::temp_directory_path() / "hearth-load-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) stop("no temporary folder");
  {
    // Delays of all lengths within a few probe steps, so that no phase of the probe is favoured.
    constexpr int delays = 16;
    const auto driver = make_process_driver({.supervisor = {self(), "supervise"}});
    std::optional<Daemon> daemon;
    std::optional<Daemon> swapping;
    if (!binary.empty()) {
      daemon.emplace(
          Daemon::Options{.binary = binary, .folder = folder + "/loads", .delays = delays});
      swapping.emplace(Daemon::Options{.binary = binary,
                                       .folder = folder + "/swaps",
                                       .delays = delays,
                                       .budget = "12MiB",
                                       .mib = swapped_mib});
      (void)swapping->swap(delays - 1);
    }
    std::vector<double> spans[5];
    for (int round = 0; round < rounds; ++round) {
      const int delay = round % delays;
      spans[0].push_back(milliseconds(bare(delay, 0)));
      spans[1].push_back(
          milliseconds(driven(*driver, folder, delay, static_cast<std::uint64_t>(round) + 1)));
      if (!daemon) continue;
      spans[2].push_back(milliseconds(daemon->load(delay)));
      spans[3].push_back(milliseconds(bare(delay, swapped_mib)));
      spans[4].push_back(milliseconds(swapping->swap(delay)));
    }
    std::printf("%d loads each of a program that listens 0 to %d ms after its start\n", rounds,
                delays - 1);
    print("bare spawner", spans[0], spans[0]);
    print("process driver", spans[1], spans[0]);
    if (daemon) {
      print("daemon, by HTTP", spans[2], spans[0]);
      print("bare spawner, 8 MiB", spans[3], spans[3]);
      print("swap through the gateway", spans[4], spans[3]);
    }
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "supervise") return supervise_main(argc - 1, argv + 1);
  if (mode == "component" && argc == 5) {
    return serve(std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]));
  }
  int rounds = 100;
  std::string binary;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--rounds") rounds = std::max(1, std::atoi(argv[i + 1]));
    if (option == "--daemon") binary = argv[i + 1];
  }
  return measure(rounds, binary);
}

// The daemon with a whole configuration and nothing loaded: its memory and its wake-ups.
//
//   idle_bench [--hearth PATH] [--config FILE] [--seconds N]
//
// PATH is the binary `hearth` (default: $HEARTH, else ../hearth beside this program). Without
// --config there are 24 lazy components with keywords, needs and conflicts, and nobody connected. A
// wake-up is a thread that was put back on a CPU after it had gone to sleep (voluntary context
// switches).
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "idle_bench: %s\n", why.c_str());
  std::exit(1);
}

// The number behind `key` in a file of "Key: number kB" lines; 0 when it is not there.
long figure(const fs::path& file, std::string_view key) {
  std::ifstream lines(file);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with(key)) return std::strtol(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

struct Threads {
  long wakes = 0;
  int count = 0;
};

Threads threads_of(pid_t process) {
  Threads threads;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    threads.wakes += figure(entry.path() / "status", "voluntary_ctxt_switches:");
    ++threads.count;
  }
  return threads;
}

std::string write_config(const fs::path& folder) {
  const fs::path file = folder / "hearth.yaml";
  std::ofstream out(file);
  out << "listen: {http: \"127.0.0.1:0\"}\nstate: " << (folder / "state").string()
      << "\nmemory: {budget: 4GiB}\ncomponents:\n";
  for (int i = 0; i < 24; ++i) {
    out << "  component" << i << ":\n    cmd: [/bin/sleep, infinity]\n"
        << "    description: does the work of kind " << i << " on request\n"
        << "    memory: " << 100 + i << "MB\n"
        << "    keywords: [word" << i << ", \"phrase number " << i << "\", thing" << i << "]\n"
        << "    examples: [\"please do thing " << i << " for me now\"]\n";
    if (i % 4 == 1) out << "    needs: [component" << i - 1 << "]\n";
    if (i % 4 == 2) out << "    conflicts: [component" << i + 1 << "]\n";
  }
  return file.string();
}

// `hearth serve`, ended by its id when the measurement is over.
class DaemonProcess {
 public:
  DaemonProcess(const std::string& binary, const std::string& config) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) give_up("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
      (void)::dup2(ends[1], STDOUT_FILENO);
      ::execl(binary.c_str(), "hearth", "serve", "--config", config.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
    // Its first line says where it listens.
    char letter = 0;
    std::string line;
    while (letter != '\n') {
      pollfd entry{output_, POLLIN, 0};
      if (::poll(&entry, 1, 60'000) <= 0 || ::read(output_, &letter, 1) != 1) {
        end();
        give_up(binary + " serve did not say where it listens");
      }
      line += letter;
    }
    std::printf("%s", line.c_str());
  }
  ~DaemonProcess() { end(); }
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  [[nodiscard]] pid_t id() const { return process_; }

 private:
  void end() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
    ::close(output_);
  }

  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  const char* from_environment = std::getenv("HEARTH");
  std::string binary = from_environment != nullptr ? from_environment : "";
  std::string config;
  long seconds = 60;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--hearth")
      binary = argv[i + 1];
    else if (name == "--config")
      config = argv[i + 1];
    else if (name == "--seconds")
      seconds = std::strtol(argv[i + 1], nullptr, 10);
    else
      give_up("unknown option; see the head of bench/idle_bench.cpp");
  }
  if (binary.empty()) binary = fs::read_symlink("/proc/self/exe").parent_path() / "../hearth";
  if (::access(binary.c_str(), X_OK) != 0) give_up("no program " + binary + "; say --hearth PATH");
  std::string pattern = (fs::temp_directory_path() / "hearth-idle-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  {
    const DaemonProcess daemon(binary, config.empty() ? write_config(folder) : config);
    (void)::poll(nullptr, 0, 5000);  // what it does at its start is not idleness
    const Threads before = threads_of(daemon.id());
    (void)::poll(nullptr, 0, static_cast<int>(seconds * 1000));
    const Threads after = threads_of(daemon.id());
    const fs::path proc = "/proc/" + std::to_string(daemon.id());
    std::printf("resident memory   %8.1f MiB (at most 15 is wanted)\n",
                static_cast<double>(figure(proc / "status", "VmRSS:")) / 1024);
    std::printf("  of it anonymous %8.1f MiB\n",
                static_cast<double>(figure(proc / "status", "RssAnon:")) / 1024);
    std::printf("wake-ups          %8.2f a second over %d threads (at most 2 are wanted)\n",
                static_cast<double>(after.wakes - before.wakes) / static_cast<double>(seconds),
                after.count);
  }
  fs::remove_all(folder);
  return 0;
}

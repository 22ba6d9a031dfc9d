// A component for tests: does what its flags say, in their order, then serves until it is ended.
//
//   supervise NAME         be a supervisor
//   --print TEXT           a line on standard output
//   --print-env NAME       the same, of a variable
//   --spam BYTES           that much output, in lines
//   --allocate MIB         touch that much memory
//   --allocate-noise MIB   the same, of bytes that do not compress
//   --threads N            so many do that side by side, each a part
//   --fork-orphans FILE    two sleepers, double-forked and in a session of their own; pids in FILE
//   --ignore-term          SIGTERM does nothing
//   --wait MS              sleep
//   --notify               READY=1 to NOTIFY_SOCKET
//   --unix PATH            listen there
//   --crash, --exit N      end
//   --exit-after MS N      serve, and end then with that status
//   --mute N               so many connections are taken and never answered
//   --ready-after MS       GET /health answers 503 until then
//   --first-slow MS        the first POST takes so long
//   --listen PORT          HTTP: /health, /stop (ends), any other path: 200
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/supervise.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Server {
  int tcp = -1;
  int unix_socket = -1;
  Clock::time_point started = Clock::now();
  std::chrono::milliseconds ready_after{0};
  std::chrono::milliseconds first_slow{0};
  std::chrono::milliseconds exit_after{-1};
  int exit_status = 0;
  int mute = 0;
  int threads = 1;
};

int listen_on(const sockaddr* address, socklen_t size) {
  const int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, address, size) != 0 || listen(fd, 64) != 0) {
    std::perror("listen");
    std::exit(9);
  }
  return fd;
}

void write_text(int fd, const std::string& text) { (void)!write(fd, text.data(), text.size()); }

void fork_orphans(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  int written[2];
  if (pipe(written) != 0) std::exit(7);
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child != 0) {
      int status = 0;
      (void)waitpid(child, &status, 0);
      char byte = 0;
      (void)!read(written[0], &byte, 1);
      continue;
    }
    (void)setsid();
    if (fork() != 0) _exit(0);
    (void)setsid();
    (void)signal(SIGTERM, SIG_IGN);
    write_text(file, std::to_string(getpid()) + "\n");
    write_text(written[1], "x");
    while (true) pause();
  }
  close(written[0]);
  close(written[1]);
  close(file);
}

void notify() {
  const char* name = getenv("NOTIFY_SOCKET");
  if (name == nullptr) std::exit(8);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::min(std::strlen(name), sizeof address.sun_path);
  std::memcpy(address.sun_path, name, size);
  if (address.sun_path[0] == '@') address.sun_path[0] = 0;
  const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  const std::string text = "STATUS=up\nREADY=1";
  (void)sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
  close(fd);
}

void answer(Server& server, int connection) {
  char request[4096];
  const ssize_t size = read(connection, request, sizeof request - 1);
  if (size <= 0) return;
  request[size] = 0;
  const bool is_health = std::strstr(request, " /health ") != nullptr;
  const bool is_up = Clock::now() - server.started >= server.ready_after;
  if (std::strncmp(request, "POST", 4) == 0 && server.first_slow.count() > 0) {
    std::this_thread::sleep_for(server.first_slow);
    server.first_slow = {};
  }
  const std::string body = is_health && !is_up ? "loading" : "ok";
  const std::string status = is_health && !is_up ? "503 Service Unavailable" : "200 OK";
  write_text(connection, "HTTP/1.1 " + status + "\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
  if (std::strncmp(request, "POST /stop ", 11) == 0) std::exit(0);
}

int serve(Server& server) {
  while (true) {
    int timeout = -1;
    if (server.exit_after.count() >= 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          server.started + server.exit_after - Clock::now());
      if (left.count() <= 0) return server.exit_status;
      timeout = static_cast<int>(left.count()) + 1;
    }
    pollfd waited[2] = {{server.tcp, POLLIN, 0}, {server.unix_socket, POLLIN, 0}};
    if (poll(waited, 2, timeout) <= 0) continue;
    for (const pollfd& one : waited) {
      if (one.revents == 0) continue;
      const int connection = accept4(one.fd, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      if (one.fd == server.tcp && server.mute > 0) {
        --server.mute;
        continue;
      }
      if (one.fd == server.tcp) answer(server, connection);
      close(connection);
    }
  }
}

int number(const std::string& text) { return std::atoi(text.c_str()); }

void spam(int bytes) {
  const std::string line(99, '.');
  for (int i = 0; i < bytes; i += 100) std::puts(line.c_str());
  std::fflush(stdout);
}

void allocate(int mib) {
  const std::size_t size = static_cast<std::size_t>(mib) << 20;
  auto* memory = static_cast<volatile char*>(std::malloc(size));
  for (std::size_t i = 0; i < size; i += 1024) memory[i] = static_cast<char>(i * 7 + 1);
}

void allocate_noise(int mib) {
  const std::size_t count = (static_cast<std::size_t>(mib) << 20) / sizeof(std::uint64_t);
  auto* memory = static_cast<volatile std::uint64_t*>(std::malloc(count * sizeof(std::uint64_t)));
  std::uint64_t state = 88172645463325252U;
  for (std::size_t i = 0; i < count; ++i) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    memory[i] = state;
  }
}

// One is held back by its control group; many, who each sleep by themselves, come to its limit.
void allocate_by(int threads, int mib) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([=] { allocate(mib / threads); });
  for (std::thread& one : all) one.join();
}

// Flags with one value. False: not one of them.
bool act(Server& server, const std::string& flag, const std::string& value) {
  if (flag == "--print") {
    std::puts(value.c_str());
  } else if (flag == "--print-env") {
    const char* found = getenv(value.c_str());
    std::puts((value + "=" + (found != nullptr ? found : "(unset)")).c_str());
  } else if (flag == "--spam") {
    spam(number(value));
  } else if (flag == "--allocate") {
    allocate_by(server.threads, number(value));
  } else if (flag == "--threads") {
    server.threads = number(value);
  } else if (flag == "--allocate-noise") {
    allocate_noise(number(value));
  } else if (flag == "--fork-orphans") {
    fork_orphans(value);
  } else if (flag == "--wait") {
    std::this_thread::sleep_for(std::chrono::milliseconds{number(value)});
  } else if (flag == "--unix") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    value.copy(address.sun_path, sizeof address.sun_path - 1);
    server.unix_socket = listen_on(reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else if (flag == "--exit") {
    std::fflush(stdout);
    std::exit(number(value));
  } else if (flag == "--ready-after") {
    server.ready_after = std::chrono::milliseconds{number(value)};
  } else if (flag == "--mute") {
    server.mute = number(value);
  } else if (flag == "--first-slow") {
    server.first_slow = std::chrono::milliseconds{number(value)};
  } else if (flag == "--listen") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(number(value)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.tcp = listen_on(reinterpret_cast<sockaddr*>(&address), sizeof address);
  } else {
    return false;
  }
  std::fflush(stdout);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "supervise") {
    return hearth::supervise_main(argc - 1, argv + 1);
  }
  Server server;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--ignore-term") {
      (void)signal(SIGTERM, SIG_IGN);
    } else if (arguments[i] == "--notify") {
      notify();
    } else if (arguments[i] == "--crash") {
      std::abort();
    } else if (arguments[i] == "--exit-after" && i + 2 < arguments.size()) {
      server.exit_after = std::chrono::milliseconds{number(arguments[i + 1])};
      server.exit_status = number(arguments[i + 2]);
      i += 2;
    } else if (i + 1 >= arguments.size() || !act(server, arguments[i], arguments[i + 1])) {
      std::fprintf(stderr, "unknown flag: %s\n", arguments[i].c_str());
      return 2;
    } else {
      ++i;
    }
  }
  return serve(server);
}

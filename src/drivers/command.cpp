#include "drivers/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "runtime/clock.h"
#include "runtime/files.h"
#include "runtime/processes.h"
#include "runtime/spawn.h"

namespace hearth {
namespace {

constexpr std::size_t output_max = 64 * 1024;

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

// Reads until the process has ended; false when the deadline or the stop came first.
bool read_to_the_end(int output, int process, int stopped, Instant deadline, std::string& text) {
  std::array<char, 4096> chunk;
  const auto read_some = [&] {
    const ssize_t got = ::read(output, chunk.data(), chunk.size());
    if (got > 0) text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > 2 * output_max) text.erase(0, text.size() - output_max);
    return got > 0 || (got < 0 && errno == EINTR);
  };
  bool is_open = true;
  while (true) {
    const double left = milliseconds(deadline - boot_now());
    if (left <= 0) return false;
    std::array<pollfd, 3> waited{pollfd{is_open ? output : -1, POLLIN, 0},
                                 pollfd{process, POLLIN, 0}, pollfd{stopped, POLLIN, 0}};
    if (::poll(waited.data(), waited.size(), static_cast<int>(left) + 1) < 0 && errno != EINTR) {
      return false;
    }
    if (waited[2].revents != 0) return false;
    if (waited[1].revents != 0) {
      // What it left running may hold the pipe open: only what is there is taken.
      (void)::fcntl(output, F_SETFL, O_NONBLOCK);
      while (read_some()) {
      }
      return true;
    }
    if (waited[0].revents != 0) is_open = read_some();
  }
}

}  // namespace

Result<std::string> run_command(const std::vector<std::string>& argv, Instant deadline,
                                std::stop_token stop) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::io, "pipe: " + error_text(errno));
  const Descriptor output{ends[0]};
  Descriptor written{ends[1]};
  const Descriptor stopped{::eventfd(0, EFD_CLOEXEC)};
  const Spawned spawned = spawn_program({.arguments = argv, .output = written.get()});
  if (spawned.error != 0) {
    return fail(spawned.error == ENOENT ? Errc::not_found : Errc::failed,
                "cannot start `" + argv[0] + "`: " + error_text(spawned.error));
  }
  const pid_t child = spawned.process;
  written.reset();
  const std::stop_callback on_stop{stop, [&] {
                                     const std::uint64_t one = 1;
                                     (void)::write(stopped.get(), &one, sizeof one);
                                   }};
  std::string text;
  const Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  const bool has_ended =
      read_to_the_end(output.get(), process.get(), stopped.get(), deadline, text);
  if (!has_ended) (void)::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string name = "`" + argv[0] + "`";
  if (!has_ended && stop.stop_requested()) return fail(Errc::unavailable, name + " was stopped");
  if (!has_ended) return fail(Errc::timed_out, name + " had not ended in time");
  if (status == 0) return text;
  const std::string line = last_line(text);
  return fail(Errc::failed, name + ": " + exit_text(status) + (line.empty() ? "" : ": " + line));
}

}  // namespace hearth

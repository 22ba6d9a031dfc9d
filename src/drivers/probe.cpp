#include "drivers/probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <random>
#include <vector>

#include "runtime/clock.h"
#include "runtime/files.h"
#include "runtime/lines.h"
#include "runtime/supervise.h"

namespace hearth {
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024 * 1024;

int poll_timeout(Instant until) {
  const std::int64_t left = (until - boot_now()).count();
  if (left <= 0) return 0;
  return static_cast<int>(std::min<std::int64_t>((left + 999'999) / 1'000'000, 3'600'000));
}

Result<> wait_for(int fd, short events, const ProbeWait& wait) {
  std::vector<pollfd> waited{{fd, events, 0}};
  for (const int interrupt : wait.interrupts) waited.push_back({interrupt, POLLIN, 0});
  while (true) {
    const int found = ::poll(waited.data(), waited.size(), poll_timeout(wait.deadline));
    if (found < 0 && errno == EINTR) continue;
    if (found < 0) return fail(Errc::io, error_text(errno));
    if (found == 0) return fail(Errc::timed_out, "no answer in time");
    for (std::size_t i = 1; i < waited.size(); ++i) {
      if (waited[i].revents != 0) return fail(Errc::unavailable, "interrupted");
    }
    return {};
  }
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Result<Descriptor> connect_to(const sockaddr* address, socklen_t size, const ProbeWait& wait) {
  Descriptor socket{::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket.is_open()) return fail(Errc::io, error_text(errno));
  if (::connect(socket.get(), address, size) == 0) return socket;
  if (errno != EINPROGRESS) return fail(Errc::unavailable, error_text(errno));
  HEARTH_TRY(wait_for(socket.get(), POLLOUT, wait));
  int error = 0;
  socklen_t error_size = sizeof error;
  (void)::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
  if (error != 0) return fail(Errc::unavailable, error_text(error));
  return socket;
}

Result<Descriptor> connect_tcp(int port, const ProbeWait& wait) {
  const sockaddr_in address = loopback(port);
  return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, wait);
}

Result<> send_all(int socket, std::string_view bytes, const ProbeWait& wait) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      HEARTH_TRY(wait_for(socket, POLLOUT, wait));
    } else if (errno != EINTR) {
      return fail(Errc::unavailable, error_text(errno));
    }
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// Where the answer ends, once that can be told; none: at the end of the connection.
bool is_whole(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::string head = lower(std::string_view{answer}.substr(0, end + 2));
  if (head.find("\r\ntransfer-encoding: chunked") != std::string::npos) {
    return answer.ends_with("\r\n0\r\n\r\n");
  }
  constexpr std::string_view key = "\r\ncontent-length:";
  const std::size_t at = head.find(key);
  if (at == std::string::npos) return false;
  std::string_view number = std::string_view{head}.substr(at + key.size());
  number.remove_prefix(std::min(number.find_first_not_of(' '), number.size()));
  std::size_t length = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), length).ec != std::errc{}) {
    return false;
  }
  return answer.size() - end - 4 >= length;
}

Result<int> status_of(const std::string& answer) {
  int status = 0;
  if (!answer.starts_with("HTTP/1.") || answer.size() < 12 ||
      std::from_chars(answer.data() + 9, answer.data() + 12, status).ec != std::errc{}) {
    return fail(Errc::corrupt, "the answer is not HTTP");
  }
  return status;
}

Result<std::string> receive_answer(int socket, const ProbeWait& wait) {
  std::string answer;
  std::array<char, 16384> chunk;
  while (answer.size() < answer_bytes_max && !is_whole(answer)) {
    const ssize_t got = ::recv(socket, chunk.data(), chunk.size(), 0);
    if (got > 0) {
      answer.append(chunk.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      break;
    } else if (errno == EAGAIN) {
      HEARTH_TRY(wait_for(socket, POLLIN, wait));
    }
  }
  return answer;
}

}  // namespace

bool wait_interrupted(const ProbeWait& wait, Duration span) {
  const Instant until = std::min(boot_now() + span, wait.deadline);
  const auto waited = wait_for(-1, 0, {until, wait.interrupts});
  return !waited && waited.error().code == Errc::unavailable;
}

Result<> probe_tcp(int port, const ProbeWait& wait) {
  (void)HEARTH_TRY(connect_tcp(port, wait));
  return {};
}

Result<> probe_unix(const std::string& path, const ProbeWait& wait) {
  const std::filesystem::path file{path};
  const Descriptor directory{::open(file.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!directory.is_open()) return fail(Errc::unavailable, error_text(errno));
  const std::string name = short_socket_path(directory.get(), file.filename().string());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return fail(Errc::invalid, path + ": name too long");
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  (void)HEARTH_TRY(connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, wait));
  return {};
}

Result<int> exchange(const ProbeRequest& request, const ProbeWait& wait) {
  const Descriptor socket = HEARTH_TRY(connect_tcp(request.port, wait));
  std::string text = request.method + " " + request.path +
                     " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(request.port) +
                     "\r\nUser-Agent: hearth\r\nAccept: */*\r\n" + "Connection: close\r\n";
  if (!request.body.empty() || request.method != "GET") {
    const bool is_json = request.body.starts_with('{') || request.body.starts_with('[');
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\nContent-Type: ";
    text += is_json ? "application/json\r\n" : "text/plain; charset=utf-8\r\n";
  }
  text += "\r\n" + request.body;
  const auto answer = [&]() -> Result<std::string> {
    HEARTH_TRY(send_all(socket.get(), text, wait));
    return receive_answer(socket.get(), wait);
  }();
  if (!answer && answer.error().code == Errc::timed_out) {
    return fail(Errc::timed_out, "accepted the connection and did not answer");
  }
  const std::string whole = HEARTH_TRY(answer);
  if (whole.empty()) return fail(Errc::corrupt, "accepted the connection and closed it unanswered");
  return status_of(whole);
}

namespace {

Result<int> bind_port(int port) {
  const Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int yes = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = loopback(port);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return fail(Errc::io, error_text(errno));
  }
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail(Errc::io, error_text(errno));
  }
  return ntohs(address.sin_port);
}

}  // namespace

Result<int> free_port() {
  constexpr unsigned band = 4096;  // of few well-known ones
  const auto range = read_file("/proc/sys/net/ipv4/ip_local_port_range");
  const auto first = range ? whole_number(*range) : std::nullopt;
  if (first && *first > 16 * 1024 && *first < 65536) {
    thread_local std::minstd_rand random{std::random_device{}()};
    const auto above = static_cast<unsigned>(*first);
    std::uniform_int_distribution<unsigned> any{above - band, above - 1};
    for (int attempt = 0; attempt < 16; ++attempt) {
      const auto port = bind_port(static_cast<int>(any(random)));
      if (port) return port;
    }
  }
  return bind_port(0);
}

// A listener on every address is found by the connection, one on loopback by bind as well.
bool is_port_free(int port) {
  if (!bind_port(port)) return false;
  const std::array<int, 0> none{};
  return !probe_tcp(port, {boot_now() + 200ms, none});
}

}  // namespace hearth

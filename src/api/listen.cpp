#include "api/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace hearth {
namespace {

constexpr int backlog = 512;

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  std::string host;
  bool is_loopback = false;
};

Result<TcpAddress> parse_tcp(std::string_view text) {
  const std::string whole(text);
  const auto bad = [&] {
    return fail(Errc::invalid, "`listen.http`: `" + whole +
                                   "` is not an address; write 127.0.0.1:7411, [::1]:7411 or "
                                   "localhost:7411");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return bad();
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  TcpAddress address;
  address.host = host;
  if (host == "localhost") host = "127.0.0.1";
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
    address.is_loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
    address.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
  } else {
    return bad();
  }
  return address;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  return ntohs(storage.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

class Closing {
 public:
  explicit Closing(int fd) : fd_(fd) {}
  ~Closing() {
    if (fd_ >= 0) ::close(fd_);
  }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace

Result<Listening> listen_tcp(std::string_view text) {
  const TcpAddress address = HEARTH_TRY(parse_tcp(text));
  const std::string where(text);
  Closing socket(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return fail(Errc::io, where + ": " + std::strerror(errno));
  const int one = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
  if (::bind(socket.get(), raw, address.size) != 0 || ::listen(socket.get(), backlog) != 0) {
    if (errno == EADDRINUSE) {
      return fail(Errc::io, where +
                                " is taken by another program, perhaps another daemon; end it "
                                "or choose another port in `listen.http`");
    }
    if (errno == EACCES) {
      return fail(Errc::io, where + ": not allowed; choose a port above 1023 in `listen.http`");
    }
    return fail(Errc::io, where + ": " + std::strerror(errno) +
                              "; choose an address of this machine in `listen.http`");
  }
  Listening listening;
  listening.host = address.host;
  listening.port = port_of(socket.get());
  listening.is_loopback = address.is_loopback;
  listening.fd = socket.release();
  return listening;
}

Result<Listening> listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Errc::invalid, path + ": the path of a socket has at most " +
                                   std::to_string(sizeof address.sun_path - 1) +
                                   " bytes; choose a shorter `listen.socket`");
  }
  std::ranges::copy(path, address.sun_path);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return fail(Errc::io, path +
                                " is there and is not a socket; move it or choose another "
                                "`listen.socket`");
    }
    const Closing probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(probe.get(), raw, sizeof address) == 0 || errno == EAGAIN) {
      return fail(Errc::conflict, "another daemon listens on " + path +
                                      "; end it or choose another `listen.socket`");
    }
    if (errno == ECONNREFUSED) (void)::unlink(path.c_str());
  }
  Closing socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nobody can connect before listen(), so the mode is right from the first connection on.
  if (socket.get() < 0 || ::bind(socket.get(), raw, sizeof address) != 0 ||
      ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(socket.get(), backlog) != 0) {
    return fail(Errc::io, path + ": " + std::strerror(errno) +
                              "; choose a place that can be written in `listen.socket`");
  }
  Listening listening;
  listening.fd = socket.release();
  return listening;
}

}  // namespace hearth

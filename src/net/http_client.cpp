#include "net/http_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "net/http_framing.h"
#include "net/http_head.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t line_bytes_max = 4 * 1024 * 1024;

std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string os_error(int code) { return std::strerror(code); }

}  // namespace

std::string_view HttpReply::header(std::string_view lower_case_name) const {
  for (const auto& [key, value] : headers) {
    if (key == lower_case_name) return value;
  }
  return {};
}

// One exchange on a connection: waits, reads and writes within its deadline.
class HttpClient::Exchange {
 public:
  Exchange(const HttpAddress& address, const HttpCall& call) : address_(address), call_(call) {
    restart_clock();
  }

  void use(int fd) { fd_ = fd; }
  void restart_clock() { deadline_ = Clock::now() + call_.timeout; }
  [[nodiscard]] bool has_bytes() const { return has_bytes_; }
  [[nodiscard]] bool can_be_kept() const { return can_be_kept_; }

  [[nodiscard]] Result<> wait(int fd, short events) const {
    while (true) {
      if (call_.stop.stop_requested()) return fail(Errc::timed_out, where() + ": stopped");
      auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
      if (left.count() <= 0) return fail(Errc::timed_out, where() + ": no answer in time");
      if (call_.stop.stop_possible()) left = std::min(left, std::chrono::milliseconds{50});
      left = std::min(left, std::chrono::milliseconds{3'600'000});
      pollfd entry{fd, events, 0};
      const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return fail(Errc::io, where() + ": " + os_error(errno));
    }
  }

  [[nodiscard]] Result<> write() {
    const std::string text = request_text();
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        rest.remove_prefix(static_cast<std::size_t>(sent));
      } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        HEARTH_TRY(wait(fd_, POLLOUT));
      } else if (sent < 0 && errno != EINTR) {
        // A server that refuses a large body answers and stops reading: its answer may be there.
        if (errno == EPIPE || errno == ECONNRESET) return {};
        return fail(Errc::io, where() + ": " + os_error(errno));
      }
    }
    return {};
  }

  [[nodiscard]] Result<ResponseHead> read_head() {
    while (true) {
      std::optional<std::size_t> size;
      while (!(size = head_size(input_))) {
        if (input_.size() > response_head_bytes_max) {
          return fail(Errc::corrupt, where() + ": endless header");
        }
        if (!HEARTH_TRY(fill())) {
          return fail(Errc::io, where() + ": the connection was closed before an answer");
        }
      }
      auto head = parse_response_head(std::string_view{input_}.substr(0, *size));
      if (!head) return fail(Errc::corrupt, where() + ": the answer is not HTTP");
      input_.erase(0, *size);
      if (head->status < 200) continue;
      const auto framing = framing_of(*head, call_.method == "HEAD");
      if (!framing) return fail(Errc::corrupt, where() + ": the answer's length makes no sense");
      scanner_ = BodyScanner(*framing);
      can_be_kept_ = head->is_kept() && framing->kind != BodyFraming::Kind::until_end;
      return *std::move(head);
    }
  }

  // The next piece of the body; empty at its end.
  [[nodiscard]] Result<std::string_view> read_piece() {
    input_.erase(0, piece_);
    piece_ = 0;
    while (!scanner_.is_done()) {
      const BodyScanner::Piece piece = scanner_.take(input_);
      if (scanner_.is_bad()) return fail(Errc::corrupt, where() + ": the answer's chunks are bad");
      if (!piece.payload.empty()) {
        piece_ = piece.consumed;
        return piece.payload;
      }
      input_.erase(0, piece.consumed);
      if (scanner_.is_done() || !input_.empty()) continue;
      if (HEARTH_TRY(fill())) continue;
      if (scanner_.may_end()) break;
      return fail(Errc::io, where() + ": the connection broke within the answer");
    }
    return std::string_view{};
  }

  [[nodiscard]] std::string where() const { return to_text(address_); }

 private:
  [[nodiscard]] std::string request_text() const {
    std::string out = call_.method + " " + address_.base_path + call_.path + " HTTP/1.1\r\nHost: ";
    if (address_.socket_path.empty()) {
      const bool is_v6 = address_.host.find(':') != std::string::npos;
      out += is_v6 ? "[" + address_.host + "]" : address_.host;
      if (address_.port != 80) out += ":" + std::to_string(address_.port);
    } else {
      out += "localhost";
    }
    out += "\r\n";
    for (const auto& [name, value] : call_.headers) out += name + ": " + value + "\r\n";
    if (!call_.body.empty() || (call_.method != "GET" && call_.method != "HEAD")) {
      out += "Content-Length: " + std::to_string(call_.body.size()) + "\r\n";
    }
    out += "\r\n";
    out += call_.body;
    return out;
  }

  // False at the end of the connection.
  [[nodiscard]] Result<bool> fill() {
    std::array<char, 16384> buffer;
    while (true) {
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        has_bytes_ = true;
        input_.append(buffer.data(), static_cast<std::size_t>(got));
        return true;
      }
      if (got == 0) return false;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        HEARTH_TRY(wait(fd_, POLLIN));
      } else if (errno != EINTR) {
        return fail(Errc::io, where() + ": " + os_error(errno));
      }
    }
  }

  const HttpAddress& address_;
  const HttpCall& call_;
  Clock::time_point deadline_;
  int fd_ = -1;
  std::string input_;
  std::size_t piece_ = 0;  // of input_, handed out and not yet erased
  BodyScanner scanner_;
  bool has_bytes_ = false;
  bool can_be_kept_ = false;
};

HttpClient::HttpClient(HttpAddress address) : address_(std::move(address)) {}
HttpClient::~HttpClient() { close(); }
HttpClient::HttpClient(HttpClient&& other) noexcept
    : address_(std::move(other.address_)), fd_(std::exchange(other.fd_, -1)) {}
HttpClient& HttpClient::operator=(HttpClient&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(fd_, other.fd_);
  return *this;
}

void HttpClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

// A socket that is connected, or on its way: then errno is EINPROGRESS.
int open_tcp(const addrinfo& entry) {
  const int fd = ::socket(entry.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int one = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  errno = 0;
  if (::connect(fd, entry.ai_addr, entry.ai_addrlen) == 0 || errno == EINPROGRESS) return fd;
  const int code = errno;
  ::close(fd);
  errno = code;
  return -1;
}

Result<int> open_unix(const std::string& path, const std::string& where) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Errc::invalid, where + ": the path of the socket is too long");
  }
  std::ranges::copy(path, address.sun_path);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Errc::io, where + ": " + os_error(errno));
  // Where too many wait already, connecting would wait without end.
  constexpr timeval patience{2, 0};
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    constexpr timeval none{0, 0};
    (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
    return fd;
  }
  const int code = errno;
  ::close(fd);
  if (code == EAGAIN || code == EINPROGRESS) {
    return fail(Errc::timed_out, where + ": it does not take the connection");
  }
  const bool is_absent = code == ENOENT || code == ECONNREFUSED;
  return fail(is_absent ? Errc::unavailable : Errc::io, where + ": " + os_error(code));
}

}  // namespace

Result<> HttpClient::connect(const Exchange& exchange) {
  const std::string where = exchange.where();
  if (!address_.socket_path.empty()) {
    fd_ = HEARTH_TRY(open_unix(address_.socket_path, where));
    return {};
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const std::string port = std::to_string(address_.port);
  if (const int code = ::getaddrinfo(address_.host.c_str(), port.c_str(), &hints, &raw);
      code != 0) {
    return fail(Errc::unavailable, where + ": " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  int last = ECONNREFUSED;
  for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
    const int fd = open_tcp(*entry);
    if (fd < 0) {
      last = errno;
      continue;
    }
    if (errno == EINPROGRESS) {
      if (auto waited = exchange.wait(fd, POLLOUT); !waited) {
        ::close(fd);
        return waited;
      }
    }
    int code = 0;
    socklen_t size = sizeof code;
    (void)::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code == 0) {
      fd_ = fd;
      return {};
    }
    last = code;
    ::close(fd);
  }
  return fail(last == ECONNREFUSED ? Errc::unavailable : Errc::io, where + ": " + os_error(last));
}

Result<> HttpClient::probe(const HttpCall& call) {
  close();
  const Exchange exchange(address_, call);
  auto connected = connect(exchange);
  close();
  return connected;
}

Result<HttpReply> HttpClient::send(const HttpCall& call) {
  const bool was_kept = fd_ >= 0;
  Exchange exchange(address_, call);
  if (fd_ < 0) HEARTH_TRY(connect(exchange));
  exchange.use(fd_);
  const auto run = [&]() -> Result<HttpReply> {
    HEARTH_TRY(exchange.write());
    ResponseHead head = HEARTH_TRY(exchange.read_head());
    HttpReply reply{head.status, std::move(head.headers), {}};
    while (true) {
      const std::string_view piece = HEARTH_TRY(exchange.read_piece());
      if (piece.empty()) return reply;
      if (reply.body.size() + piece.size() > call.body_bytes_max) {
        return fail(Errc::too_large, exchange.where() + ": the answer is too large");
      }
      reply.body += piece;
    }
  };
  auto reply = run();
  if (!reply || !exchange.can_be_kept()) close();
  // Closed while it was idle: nothing of this call was seen by anyone.
  if (!reply && was_kept && !exchange.has_bytes() && reply.error().code == Errc::io) {
    return send(call);
  }
  return reply;
}

Result<int> HttpClient::stream(const HttpCall& call, const OnLine& on_line) {
  close();
  Exchange exchange(address_, call);
  HEARTH_TRY(connect(exchange));
  exchange.use(fd_);
  const auto run = [&]() -> Result<int> {
    HEARTH_TRY(exchange.write());
    const ResponseHead head = HEARTH_TRY(exchange.read_head());
    std::string pending;
    while (true) {
      exchange.restart_clock();
      const std::string_view piece = HEARTH_TRY(exchange.read_piece());
      if (piece.empty()) {
        if (pending.ends_with('\r')) pending.pop_back();
        if (!pending.empty()) (void)on_line(pending);
        return head.status;
      }
      pending += piece;
      std::size_t begin = 0;
      for (std::size_t end = 0; (end = pending.find('\n', begin)) != std::string::npos;) {
        std::string_view line = std::string_view{pending}.substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        begin = end + 1;
        if (!on_line(line)) return head.status;
      }
      pending.erase(0, begin);
      if (pending.size() > line_bytes_max) {
        return fail(Errc::too_large, exchange.where() + ": an endless line");
      }
    }
  };
  auto status = run();
  close();
  return status;
}

Result<HttpAddress> resolved(HttpAddress address) {
  if (!address.socket_path.empty()) return address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (const int code = ::getaddrinfo(address.host.c_str(), nullptr, &hints, &raw); code != 0) {
    return fail(Errc::unavailable, address.host + ": " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(raw);
  const addrinfo* chosen = list.get();
  // Servers that listen on one of the two listen on this one.
  for (const addrinfo* entry = chosen; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET && chosen->ai_family != AF_INET) chosen = entry;
  }
  std::array<char, NI_MAXHOST> host{};
  if (const int code = ::getnameinfo(chosen->ai_addr, chosen->ai_addrlen, host.data(), host.size(),
                                     nullptr, 0, NI_NUMERICHOST);
      code != 0) {
    return fail(Errc::unavailable, address.host + ": " + ::gai_strerror(code));
  }
  address.host = host.data();
  return address;
}

Result<HttpAddress> parse_http_address(std::string_view url) {
  const std::string whole(url);
  const auto bad = [&](const char* why) {
    return fail(Errc::invalid, "`" + whole + "` is not an address: " + why +
                                   "; write http://HOST:PORT or unix:/PATH");
  };
  HttpAddress address;
  if (url.starts_with("unix:")) {
    url.remove_prefix(5);
    while (url.starts_with("//")) url.remove_prefix(1);
    if (url.empty()) return bad("no path");
    address.socket_path = url;
    return address;
  }
  if (url.starts_with("https:")) return bad("TLS is not spoken here");
  if (url.starts_with("http://")) url.remove_prefix(7);
  const std::size_t slash = std::min(url.find('/'), url.size());
  address.base_path = url.substr(slash);
  while (address.base_path.ends_with('/')) address.base_path.pop_back();
  std::string_view host = url.substr(0, slash);
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return bad("`[` is not closed");
    port = host.substr(end + 1);
    host = host.substr(1, end - 1);
  } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (host.empty()) return bad("no host");
  address.host = host;
  if (!port.empty()) {
    const auto value = port_number(port.substr(1));
    if (!port.starts_with(':') || !value) return bad("the port is not a number below 65536");
    address.port = *value;
  }
  return address;
}

std::string to_text(const HttpAddress& address) {
  if (!address.socket_path.empty()) return "unix:" + address.socket_path;
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return "http://" + (is_v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port) + address.base_path;
}

Result<> try_connect(const HttpAddress& address, Duration timeout) {
  HttpClient client(address);
  HttpCall call;
  call.timeout = timeout;
  return client.probe(call);
}

std::string url_escape(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace hearth

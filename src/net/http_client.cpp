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

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr std::size_t line_bytes_max = 4 * 1024 * 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string os_error(int code) { return std::strerror(code); }

struct Head {
  int status = 0;
  bool is_http_1_1 = false;
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
};

std::optional<Head> parse_head(std::string_view text) {
  Head head;
  const std::size_t end = text.find('\n');
  const std::string_view first = trim(text.substr(0, end));
  if (!first.starts_with("HTTP/1.") || first.size() < 12 || first[8] != ' ') return std::nullopt;
  head.is_http_1_1 = first[7] != '0';
  const auto status = number<int>(first.substr(9, 3));
  if (!status || *status < 100) return std::nullopt;
  head.status = *status;
  std::string_view rest = end == std::string_view::npos ? "" : text.substr(end + 1);
  while (!rest.empty()) {
    const std::size_t line_end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, line_end));
    rest.remove_prefix(std::min(line_end + 1, rest.size()));
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    head.headers.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  }
  return head;
}

enum class Framing : unsigned char { none, length, chunked, until_end };

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

  [[nodiscard]] Result<Head> read_head() {
    while (true) {
      std::size_t end = 0;
      std::size_t skip = 4;
      while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
        if ((end = input_.find("\n\n")) != std::string::npos) {
          skip = 2;
          break;
        }
        if (input_.size() > head_bytes_max)
          return fail(Errc::corrupt, where() + ": endless header");
        if (!HEARTH_TRY(fill())) {
          return fail(Errc::io, where() + ": the connection was closed before an answer");
        }
      }
      auto head = parse_head(std::string_view{input_}.substr(0, end));
      if (!head) return fail(Errc::corrupt, where() + ": the answer is not HTTP");
      input_.erase(0, end + skip);
      if (head->status >= 200) {
        choose_framing(*head);
        if (framing_ == Framing::none && body_is_bad_) {
          return fail(Errc::corrupt, where() + ": the answer's length makes no sense");
        }
        return *std::move(head);
      }
    }
  }

  // The next piece of the body; empty at its end.
  [[nodiscard]] Result<std::string_view> read_piece() {
    consume();
    if (is_done_) return std::string_view{};
    if (framing_ == Framing::chunked && left_ == 0) {
      HEARTH_TRY(read_chunk_size());
      if (is_done_) return std::string_view{};
    }
    if (input_.empty() && !HEARTH_TRY(fill())) {
      if (framing_ != Framing::until_end) {
        return fail(Errc::io, where() + ": the connection broke within the answer");
      }
      is_done_ = true;
      return std::string_view{};
    }
    piece_ = framing_ == Framing::until_end ? input_.size() : std::min(input_.size(), left_);
    return std::string_view{input_}.substr(0, piece_);
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

  void choose_framing(const Head& head) {
    const std::string connection = lower(head.header("connection"));
    can_be_kept_ = head.is_http_1_1 ? connection.find("close") == std::string::npos
                                    : connection.find("keep-alive") != std::string::npos;
    const bool has_no_body = call_.method == "HEAD" || head.status == 204 || head.status == 304;
    const std::string_view length = head.header("content-length");
    if (has_no_body) {
      framing_ = Framing::none;
      is_done_ = true;
    } else if (lower(head.header("transfer-encoding")).find("chunked") != std::string::npos) {
      framing_ = Framing::chunked;
    } else if (!length.empty()) {
      const auto value = number<std::size_t>(length);
      framing_ = value ? Framing::length : Framing::none;
      body_is_bad_ = !value;
      left_ = value.value_or(0);
      is_done_ = left_ == 0;
    } else {
      framing_ = Framing::until_end;
      can_be_kept_ = false;
    }
  }

  void consume() {
    input_.erase(0, piece_);
    if (framing_ != Framing::until_end && piece_ > 0) {
      left_ -= piece_;
      if (left_ == 0 && framing_ == Framing::length) is_done_ = true;
      if (left_ == 0 && framing_ == Framing::chunked) needs_line_end_ = true;
    }
    piece_ = 0;
  }

  [[nodiscard]] Result<std::string> read_line() {
    std::size_t end = 0;
    while ((end = input_.find('\n')) == std::string::npos) {
      if (input_.size() > head_bytes_max) return fail(Errc::corrupt, where() + ": endless line");
      if (!HEARTH_TRY(fill())) {
        return fail(Errc::io, where() + ": the connection broke within the answer");
      }
    }
    std::string line{trim(std::string_view{input_}.substr(0, end))};
    input_.erase(0, end + 1);
    return line;
  }

  [[nodiscard]] Result<> read_chunk_size() {
    if (needs_line_end_) {
      if (!HEARTH_TRY(read_line()).empty()) {
        return fail(Errc::corrupt, where() + ": a chunk is longer than it said");
      }
      needs_line_end_ = false;
    }
    const std::string line = HEARTH_TRY(read_line());
    const auto size =
        number<std::size_t>(trim(std::string_view{line}.substr(0, line.find(';'))), 16);
    if (!size) return fail(Errc::corrupt, where() + ": a chunk without a size");
    left_ = *size;
    if (left_ > 0) return {};
    while (!HEARTH_TRY(read_line()).empty()) {
    }
    is_done_ = true;
    return {};
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
  std::size_t left_ = 0;   // of the body or the chunk
  Framing framing_ = Framing::none;
  bool is_done_ = false;
  bool has_bytes_ = false;
  bool needs_line_end_ = false;
  bool can_be_kept_ = false;
  bool body_is_bad_ = false;
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
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int code = errno;
  ::close(fd);
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
    Head head = HEARTH_TRY(exchange.read_head());
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
    const Head head = HEARTH_TRY(exchange.read_head());
    std::string pending;
    while (true) {
      exchange.restart_clock();
      const std::string_view piece = HEARTH_TRY(exchange.read_piece());
      if (piece.empty()) {
        if (!pending.empty()) (void)on_line(trim(pending));
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
    const auto value = number<std::uint16_t>(port.substr(1));
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

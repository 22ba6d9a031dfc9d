// A small blocking HTTP/1.1 client over TCP and Unix sockets.
//
// Contract   send() makes one exchange; the connection is kept and used again when the server
//            allows it. A kept connection that the server had closed is opened anew once, for
//            requests that no server can have acted on (nothing of an answer had come). stream()
//            hands over the body line by line, without line ends, until the callback returns false
//            or the server ends it.
// Domain     bodies by Content-Length, chunked, or until the end of the connection; no TLS, no
//            redirects.
// Errors     unavailable: nobody listens there; timed_out: the timeout or the stop came first; io:
//            the connection broke; corrupt: not HTTP; too_large: above `body_bytes_max`.
// Threads    thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace hearth {

struct HttpAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 80;
  std::string socket_path;  // not empty: a Unix socket, and host is only the Host header
  std::string base_path;    // before every path, without a slash at its end
};

// "http://127.0.0.1:40123/base", "127.0.0.1:40123", "unix:/run/hearth.sock".
[[nodiscard]] Result<HttpAddress> parse_http_address(std::string_view url);
[[nodiscard]] std::string to_text(const HttpAddress& address);
// With a numeric host, for who must not wait for a name. Blocks as the system's resolver does.
[[nodiscard]] Result<HttpAddress> resolved(HttpAddress address);

struct HttpCall {
  std::string method = "GET";
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;       // sent with its length when the method is not GET or HEAD
  Duration timeout{10s};  // of the whole exchange; of each silence in stream()
  std::size_t body_bytes_max = 64 * 1024 * 1024;
  std::stop_token stop;  // seen within 50 ms
};

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  explicit HttpClient(HttpAddress address);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;

  [[nodiscard]] Result<HttpReply> send(const HttpCall& call);

  // `status` of the answer, or the error; when it is not 200 the whole body comes as lines too.
  using OnLine = std::function<bool(std::string_view line)>;
  [[nodiscard]] Result<int> stream(const HttpCall& call, const OnLine& on_line);

  // Opens the connection and closes it: somebody listens there.
  [[nodiscard]] Result<> probe(const HttpCall& call);

  void close();
  [[nodiscard]] const HttpAddress& address() const { return address_; }

 private:
  class Exchange;
  [[nodiscard]] Result<> connect(const Exchange& exchange);

  HttpAddress address_;
  int fd_ = -1;
};

// A TCP or Unix connection can be opened now. For readiness probes.
[[nodiscard]] Result<> try_connect(const HttpAddress& address, Duration timeout);

// Percent-encodes everything but unreserved characters: safe as one segment or query value.
[[nodiscard]] std::string url_escape(std::string_view text);

}  // namespace hearth

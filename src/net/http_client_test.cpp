#include "net/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace hearth {
namespace {

// Answers one request a connection, the same bytes to each, and counts connections.
class Script {
 public:
  explicit Script(std::vector<std::string> answers, bool stays_open = false)
      : answers_(std::move(answers)), stays_open_(stays_open) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 16), 0);
    socklen_t size = sizeof address;
    (void)::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    address_.port = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Script() {
    (void)::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  [[nodiscard]] HttpAddress address() const { return address_; }
  [[nodiscard]] const std::vector<std::string>& requests() const { return requests_; }

 private:
  void serve() {
    for (const std::string& answer : answers_) {
      const int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      std::string request(65536, '\0');
      const ssize_t got = ::recv(client, request.data(), request.size(), 0);
      requests_.push_back(request.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0));
      // In two pieces, so that nothing depends on how bytes arrive.
      const std::size_t half = answer.size() / 2;
      (void)::send(client, answer.data(), half, MSG_NOSIGNAL);
      (void)::send(client, answer.data() + half, answer.size() - half, MSG_NOSIGNAL);
      if (stays_open_) {
        pollfd entry{client, POLLIN, 0};
        (void)::poll(&entry, 1, 60'000);
      }
      ::close(client);
    }
  }

  std::vector<std::string> answers_;
  bool stays_open_;
  int fd_ = -1;
  HttpAddress address_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

HttpCall patient(HttpCall call = {}) {
  call.timeout = 60s;
  return call;
}

TEST(HttpClient, ReadsABodyByItsLength) {
  Script server({"HTTP/1.1 201 Created\r\nX-Thing: a b \r\nContent-Length: 5\r\n\r\nhello"});
  const auto reply = HttpClient(server.address()).send(patient());
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, "hello");
  EXPECT_EQ(reply->header("x-thing"), "a b");
}

TEST(HttpClient, ReadsChunksAndTheirTrailer) {
  Script server(
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n"});
  const auto reply = HttpClient(server.address()).send(patient());
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply->body, "hello!");
}

TEST(HttpClient, ReadsToTheEndWithoutALengthAndSkipsInterimAnswers) {
  Script server({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil the end"});
  const auto reply = HttpClient(server.address()).send(patient());
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply->body, "until the end");
}

TEST(HttpClient, SendsItsBodyWithLengthAndHost) {
  Script server({"HTTP/1.1 204 No Content\r\n\r\n"});
  HttpAddress address = server.address();
  address.base_path = "/base";
  const auto reply = HttpClient(address).send(
      patient({.method = "POST", .path = "/x", .headers = {{"A", "b"}}, .body = "{}"}));
  ASSERT_TRUE(reply) << reply.error().detail;
  EXPECT_EQ(reply->status, 204);
  EXPECT_EQ(server.requests().at(0),
            "POST /base/x HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(address.port) +
                "\r\nA: b\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(HttpClient, OpensAClosedConnectionAnew) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  Script server({answer, answer});
  HttpClient client(server.address());
  ASSERT_TRUE(client.send(patient()));
  const auto second = client.send(patient());
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_EQ(second->body, "ok");
}

TEST(HttpClient, BrokenAnswersAreErrors) {
  for (const char* answer :
       {"", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Script server({answer});
    EXPECT_FALSE(HttpClient(server.address()).send(patient())) << answer;
  }
}

TEST(HttpClient, AnAnswerTooLargeIsRefused) {
  Script server({"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"});
  const auto reply = HttpClient(server.address()).send(patient({.body_bytes_max = 4}));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::too_large);
}

TEST(HttpClient, SilenceEndsByTheTimeoutAndByTheStop) {
  Script server({"HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-"}, true);
  HttpClient client(server.address());
  const auto late = client.send({.timeout = 50ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timed_out);
  std::stop_source source;
  source.request_stop();
  const auto stopped = client.send(patient({.stop = source.get_token()}));
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::timed_out);
}

TEST(HttpClient, NobodyThereIsUnavailable) {
  HttpAddress address;
  {
    Script server({});
    address = server.address();
  }
  const auto reply = HttpClient(address).send(patient());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::unavailable);
  EXPECT_FALSE(try_connect(address, 60s));
  EXPECT_FALSE(try_connect(parse_http_address("unix:/nonexistent/x.sock").value(), 60s));
}

TEST(HttpClient, StreamsLinesUntilTheCallbackHasEnough) {
  Script server({"HTTP/1.1 200 OK\r\n\r\none\r\ntwo\n\nthree\nfour\n"}, true);
  std::vector<std::string> lines;
  const auto status = HttpClient(server.address()).stream(patient(), [&](std::string_view line) {
    lines.emplace_back(line);
    return line != "three";
  });
  ASSERT_TRUE(status) << status.error().detail;
  EXPECT_EQ(*status, 200);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "three"}));
}

TEST(HttpAddress, IsReadAndWritten) {
  EXPECT_EQ(to_text(parse_http_address("http://127.0.0.1:40123/a/").value()),
            "http://127.0.0.1:40123/a");
  EXPECT_EQ(to_text(parse_http_address("[::1]:80").value()), "http://[::1]:80");
  EXPECT_EQ(to_text(parse_http_address("localhost").value()), "http://localhost:80");
  EXPECT_EQ(parse_http_address("unix:/run/x.sock").value().socket_path, "/run/x.sock");
  EXPECT_EQ(parse_http_address("unix:///run/x.sock").value().socket_path, "/run/x.sock");
  for (const char* bad : {"", "https://x", "http://:1", "x:99999", "x:", "[::1", "unix:"}) {
    EXPECT_FALSE(parse_http_address(bad)) << bad;
  }
}

TEST(UrlEscape, LeavesOnlyWhatIsSafe) {
  EXPECT_EQ(url_escape("a/b c.~%é"), "a%2Fb%20c.~%25%C3%A9");
}

}  // namespace
}  // namespace hearth

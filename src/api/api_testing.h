// A server over a FakeService, and raw connections to it. For tests only.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "api/fake_service.h"
#include "api/server.h"
#include "net/http_client.h"

namespace hearth {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

// Bytes to and from the server, as they are.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~RawConnection() { close(); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `text` is there, or the end (or a minute of silence). Returns all that has come.
  const std::string& read_until(std::string_view text) {
    while (got_.find(text) == std::string::npos && read_some()) {
    }
    return got_;
  }
  const std::string& read_to_end() {
    while (read_some()) {
    }
    return got_;
  }
  void clear() { got_.clear(); }

 private:
  bool read_some() {
    pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, 1, 60'000) <= 0) {
      ADD_FAILURE() << "the server is silent after: " << got_;
      return false;
    }
    std::string buffer(65536, '\0');
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    got_.append(buffer, 0, static_cast<std::size_t>(size));
    return true;
  }

  int fd_;
  std::string got_;
};

class ApiTest : public testing::Test {
 protected:
  ~ApiTest() override { server_.reset(); }

  void start(ServerOptions options = {}) {
    options.listen_http = "127.0.0.1:0";
    options.listen_socket = folder_ / "hearth.sock";
    options.unix_ms_of = [](Instant at) { return at.ns / 1'000'000; };
    server_.emplace(service_, std::move(options));
    const Result<> started = server_->start();
    ASSERT_TRUE(started) << started.error().detail;
  }

  HttpReply send(HttpCall call) {
    if (!server_) start();
    HttpClient client(parse_http_address(server_->address()).value());
    call.timeout = 60s;
    auto reply = client.send(call);
    EXPECT_TRUE(reply) << reply.error().detail;
    return reply.value_or(HttpReply{});
  }
  HttpReply get(const std::string& path) { return send({.path = path}); }
  HttpReply post(const std::string& path, std::string body) {
    return send({.method = "POST",
                 .path = path,
                 .headers = {{"Content-Type", "application/json"}},
                 .body = std::move(body)});
  }
  // Waits for what another thread does; fails after a minute.
  template <class Claim>
  static void await(Claim claim) {
    for (int i = 0; i < 60'000 && !claim(); ++i) ::poll(nullptr, 0, 1);
    ASSERT_TRUE(claim());
  }

  TemporaryFolder folder_;
  FakeService service_;
  std::optional<Server> server_;
};

}  // namespace hearth

// A component made of a script, and a server before it: for the tests of the gateway.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/api_testing.h"
#include "codec/json.h"

namespace hearth {

// Each connection is given to `serve` on a thread of its own.
class FakeComponent {
 public:
  class Peer {
   public:
    explicit Peer(int fd) : fd_(fd) {}
    ~Peer() { close(); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    void close() {
      if (fd_ >= 0) ::close(fd_);
      fd_ = -1;
    }
    // All that has come, once it holds `text`; or at the end.
    const std::string& read_until(std::string_view text) {
      while (got_.find(text) == std::string::npos && read_some()) {
      }
      return got_;
    }
    // True at the end of the connection.
    bool read_to_end() {
      while (read_some()) {
      }
      return is_ended_;
    }
    void send(std::string_view text) {
      while (!text.empty()) {
        const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
    void clear() { got_.clear(); }

   private:
    bool read_some() {
      pollfd entry{fd_, POLLIN, 0};
      if (::poll(&entry, 1, 60'000) <= 0) return false;
      std::string buffer(65536, '\0');
      const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
      is_ended_ = size <= 0;
      if (size <= 0) return false;
      got_.append(buffer, 0, static_cast<std::size_t>(size));
      return true;
    }
    int fd_;
    std::string got_;
    bool is_ended_ = false;
  };
  using Serve = std::function<void(Peer&, int number)>;

  explicit FakeComponent(Serve serve) : serve_(std::move(serve)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept(); });
  }
  ~FakeComponent() {
    ::shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    peers_.clear();
    ::close(fd_);
  }
  FakeComponent(const FakeComponent&) = delete;
  FakeComponent& operator=(const FakeComponent&) = delete;
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void accept() {
    for (int number = 0;; ++number) {
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0) return;
      peers_.emplace_back([this, fd, number] {
        Peer peer(fd);
        serve_(peer, number);
      });
    }
  }

  Serve serve_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::vector<std::jthread> peers_;
  std::jthread acceptor_;
};

inline std::string answer_with(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

inline void answer_ok(FakeComponent::Peer& peer, int) {
  peer.read_until("}");
  peer.send(answer_with(R"({"ok":true})"));
}

class RelayTest : public ApiTest {
 protected:
  // The server keeps connections that the component would wait for.
  ~RelayTest() override { server_.reset(); }
  void serve(FakeComponent::Serve serve, ServerOptions options = {}) {
    component_.emplace(std::move(serve));
    service_.endpoint = component_->url();
    start(std::move(options));
  }
  // A request of a client that stays.
  static std::string chat(std::string_view body, std::string_view headers = "",
                          std::string_view path = "/v1/chat/completions") {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body);
  }
  // To be changed before anything is asked.
  FakeNames& names() {
    return const_cast<FakeNames&>(static_cast<const FakeNames&>(*service_.names()));
  }
  static Json error_of(const HttpReply& reply) { return Json::parse(reply.body).at("error"); }

  std::optional<FakeComponent> component_;
};

}  // namespace hearth

// A stand-in of a model server on loopback: an HTTP server whose answers a test makes. Only for
// tests.
//
// Contract   each request is handed to `answer`, which gives a status and a body. One connection a
//            request.
// Threads    one of its own, which calls `answer`; the rest is thread-safe.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "runtime/files.h"

namespace hearth::testing {

class StandInServer {
 public:
  struct Ask {
    std::string method;
    std::string path;
    std::string body;
  };
  using Answer = std::function<std::pair<int, std::string>(const Ask&)>;

  explicit StandInServer(Answer answer)
      : answer_(std::move(answer)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        end_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    HEARTH_ASSERT(::bind(listener_.get(), generic, size) == 0);
    HEARTH_ASSERT(::listen(listener_.get(), 64) == 0);
    HEARTH_ASSERT(::getsockname(listener_.get(), generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~StandInServer() {
    const std::uint64_t one = 1;
    (void)::write(end_.get(), &one, sizeof one);
    thread_.join();
  }
  StandInServer(const StandInServer&) = delete;
  StandInServer& operator=(const StandInServer&) = delete;
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void serve() {
    while (true) {
      std::array<pollfd, 2> waited{pollfd{listener_.get(), POLLIN, 0},
                                   pollfd{end_.get(), POLLIN, 0}};
      (void)::poll(waited.data(), waited.size(), -1);
      if (waited[1].revents != 0) return;
      const Descriptor client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (client.is_open()) serve_one(client.get());
    }
  }

  void serve_one(int client) {
    std::string text;
    std::array<char, 4096> chunk;
    std::size_t wanted = 0;
    while (wanted == 0 || text.size() < wanted) {
      const ssize_t got = ::recv(client, chunk.data(), chunk.size(), 0);
      if (got <= 0) return;
      text.append(chunk.data(), static_cast<std::size_t>(got));
      const std::size_t end = text.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      std::size_t length = 0;
      const std::size_t at = text.find("Content-Length: ");
      if (at < end) (void)std::from_chars(text.data() + at + 16, text.data() + end, length);
      wanted = end + 4 + length;
    }
    const std::size_t space = text.find(' ');
    const std::size_t second = text.find(' ', space + 1);
    const auto [status, body] =
        answer_({text.substr(0, space), text.substr(space + 1, second - space - 1),
                 text.substr(text.find("\r\n\r\n") + 4)});
    const std::string reply = "HTTP/1.1 " + std::to_string(status) +
                              " X\r\nContent-Length: " + std::to_string(body.size()) +
                              "\r\nConnection: close\r\n\r\n" + body;
    (void)::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
  }

  Answer answer_;
  Descriptor listener_;
  Descriptor end_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace hearth::testing

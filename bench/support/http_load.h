// One client that sends the same request again and again, and times each answer.
//
// Contract   run() waits for each whole answer before the next request. An answer other than 200,
//            or without a length, ends the program: it measures nothing then.
// Threads    thread-compatible.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"

namespace hearth::bench {

[[noreturn]] inline void give_up(const char* why) {
  std::fprintf(stderr, "bench: %s\n", why);
  std::exit(1);
}

// A request with a JSON body, as it is sent.
inline std::string post_text(std::string_view path, std::string_view body) {
  std::string text = "POST ";
  text += path;
  text += " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
  text += std::to_string(body.size());
  text += "\r\n\r\n";
  text += body;
  return text;
}

// One kept connection that sends the same request again and again.
class Load {
 public:
  Load(std::string name, const hearth::HttpAddress& address, std::string request)
      : name_(std::move(name)),
        request_(std::move(request)),
        fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    if (::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr) != 1 ||
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      give_up("no connection; --url takes http://ADDRESS:PORT");
    }
    const int one = 1;
    (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  ~Load() { ::close(fd_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run(std::size_t requests, bool is_counted) {
    for (std::size_t i = 0; i < requests; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      exchange();
      const std::chrono::nanoseconds spent = std::chrono::steady_clock::now() - begin;
      if (is_counted) samples_.push_back(spent.count());
    }
  }
  [[nodiscard]] double percentile(double share) {
    std::sort(samples_.begin(), samples_.end());
    const auto last = static_cast<double>(samples_.size() - 1);
    return static_cast<double>(samples_[static_cast<std::size_t>(last * share)]) / 1000;
  }
  void print() {
    std::printf("%-24s median %8.2f us   p99 %8.2f us   %zu bytes\n", name_.c_str(),
                percentile(0.5), percentile(0.99), body_size_);
  }
  void forget() { samples_.clear(); }
  [[nodiscard]] const std::string& last_body() const { return body_; }

 private:
  void exchange() {
    if (::send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL) < 0) give_up("cannot send");
    std::size_t got = 0;
    std::size_t wanted = 0;
    while (wanted == 0 || got < wanted) {
      const ssize_t more = ::recv(fd_, buffer_.data() + got, buffer_.size() - got, 0);
      if (more <= 0) give_up("the server closed the connection");
      got += static_cast<std::size_t>(more);
      if (wanted == 0) wanted = size_of(std::string_view{buffer_.data(), got});
    }
    body_.assign(buffer_, wanted - body_size_, body_size_);
  }
  // Of the whole answer; 0 while its header is not there.
  std::size_t size_of(std::string_view text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (text.substr(9, 3) != "200") give_up("an answer other than 200");
    const std::size_t at = text.find("Content-Length: ");
    if (at == std::string_view::npos || at > end) give_up("an answer without a length");
    (void)std::from_chars(text.data() + at + 16, text.data() + end, body_size_);
    return end + 4 + body_size_;
  }

  std::string name_;
  std::string request_;
  int fd_;
  std::string buffer_ = std::string(65536, '\0');
  std::string body_;
  std::size_t body_size_ = 0;
  std::vector<std::int64_t> samples_;
};

}  // namespace hearth::bench

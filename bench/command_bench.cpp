// A warm POST /v1/commands beside a bare Beast echo and, where it is installed, nginx.
//
//   command_bench [--url URL] [--text TEXT] [--requests N] [--rounds N]
//
// One client thread, one kept connection, rounds in turn; medians over all requests. Without --url
// the daemon runs in this process, whole but for its components, which are loaded and warm without
// a process behind them; the HTTP path alone, over fixed answers, stands beside it. With --url it
// is a running daemon (TEXT should need a component that is loaded and warm).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "api/fake_service.h"
#include "api/server.h"
#include "intent/keywords.h"
#include "net/http_client.h"
#include "runtime/daemon.h"
#include "runtime/fake_driver.h"

namespace {

using namespace std::chrono_literals;
namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

// The plainest server that Beast can be: reads a request, answers its own body.
class EchoSession : public std::enable_shared_from_this<EchoSession> {
 public:
  EchoSession(tcp::socket socket, const std::string& answer)
      : stream_(std::move(socket)), answer_(answer) {
    stream_.socket().set_option(tcp::no_delay(true));
  }
  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                       if (!error) self->write();
                     });
  }

 private:
  void write() {
    response_ = {};
    response_.version(request_.version());
    response_.result(http::status::ok);
    response_.set(http::field::content_type, "application/json");
    response_.keep_alive(request_.keep_alive());
    response_.body() = answer_;
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
  const std::string& answer_;
};

class EchoServer {
 public:
  explicit EchoServer(std::string answer)
      : answer_(std::move(answer)),
        acceptor_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~EchoServer() {
    io_.stop();
    thread_.join();
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<EchoSession>(std::move(socket), answer_)->read();
      accept();
    });
  }

  std::string answer_;
  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

// nginx with one worker and one fixed answer; none where it is not installed.
class Nginx {
 public:
  static std::unique_ptr<Nginx> start(const std::string& answer) {
    const char* binary = nullptr;
    for (const char* path : {"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"}) {
      if (::access(path, X_OK) == 0) binary = path;
    }
    if (binary == nullptr) return nullptr;
    auto nginx = std::unique_ptr<Nginx>(new Nginx);
    nginx->launch(binary, answer);
    const hearth::HttpAddress address{.host = "127.0.0.1", .port = nginx->port_};
    for (int i = 0; i < 500; ++i) {
      if (hearth::try_connect(address, 1s)) return nginx;
      std::this_thread::sleep_for(10ms);
    }
    return nullptr;
  }
  ~Nginx() {
    if (process_ > 0) {
      ::kill(process_, SIGTERM);
      ::waitpid(process_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Nginx() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-nginx-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    boost::asio::io_context io;
    tcp::acceptor free(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    port_ = free.local_endpoint().port();
  }
  void launch(const char* binary, std::string answer) {
    std::replace(answer.begin(), answer.end(), '\'', ' ');
    std::ofstream(folder_ + "/nginx.conf")
        << "daemon off; master_process off; pid " << folder_ << "/pid; error_log /dev/null;\n"
        << "events {}\nhttp { access_log off; keepalive_requests 100000000;\n"
        << "client_body_temp_path " << folder_ << "/b; proxy_temp_path " << folder_ << "/p;\n"
        << "fastcgi_temp_path " << folder_ << "/f; uwsgi_temp_path " << folder_ << "/u;\n"
        << "scgi_temp_path " << folder_ << "/s;\n"
        << "server { listen 127.0.0.1:" << port_ << "; location / {\n"
        << "default_type application/json; return 200 '" << answer << "'; } } }\n";
    const std::string file = folder_ + "/nginx.conf";
    process_ = ::fork();
    if (process_ == 0) {
      ::execl(binary, "nginx", "-c", file.c_str(), "-e", "/dev/null", nullptr);
      ::_exit(127);
    }
  }

  std::string folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

[[noreturn]] void give_up(const char* why) {
  std::fprintf(stderr, "command_bench: %s\n", why);
  std::exit(1);
}

// One kept connection that sends the same request again and again.
class Load {
 public:
  Load(std::string name, const hearth::HttpAddress& address, const std::string& body)
      : name_(std::move(name)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    if (::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr) != 1 ||
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      give_up("no connection; --url takes http://ADDRESS:PORT");
    }
    const int one = 1;
    (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    request_ =
        "POST /v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
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
  int fd_;
  std::string request_;
  std::string buffer_ = std::string(65536, '\0');
  std::string body_;
  std::size_t body_size_ = 0;
  std::vector<std::int64_t> samples_;
};

class Keywords final : public hearth::Classifier {
 public:
  explicit Keywords(const std::vector<hearth::Vocabulary>& words) : keywords_(words) {}
  [[nodiscard]] std::vector<hearth::Intent> classify(std::string_view text) const override {
    std::vector<hearth::Intent> intents;
    for (const hearth::IntentScore& score : keywords_.classify(text)) {
      intents.push_back({hearth::ComponentId{score.component}, score.probability});
    }
    return intents;
  }

 private:
  hearth::KeywordClassifier keywords_;
};

// A whole daemon with sixteen components that need no process.
class WarmDaemon {
 public:
  WarmDaemon() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-bench-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    hearth::DaemonOptions options;
    hearth::Config& config = options.config;
    config.state_dir = folder_;
    config.budget = hearth::Bytes{8ULL << 30};
    for (int i = 0; i < 16; ++i) {
      const std::string name = i == 0 ? "ocr" : "other" + std::to_string(i);
      hearth::Launch launch;
      launch.name = name;
      launch.argv = {"/bin/true"};
      launch.keywords = {i == 0 ? "screen" : "word" + std::to_string(i)};
      config.launches.push_back(launch);
      hearth::Spec spec;
      spec.name = name;
      spec.memory = hearth::Bytes{100ULL << 20};
      config.core.components.push_back(spec);
    }
    auto world = std::make_shared<hearth::testing::World>();
    options.drivers.push_back(std::make_unique<hearth::testing::FakeDriver>(world, false));
    options.machine = std::make_unique<hearth::testing::FakeMachine>(world);
    options.make_classifier = [](const std::vector<hearth::Launch>& launches,
                                 const hearth::Names& names) {
      std::vector<hearth::Vocabulary> words;
      for (const hearth::Launch& launch : launches) {
        const auto id = names.find(launch.name);
        if (!id) continue;
        words.push_back({.component = id->value, .name = launch.name, .keywords = launch.keywords});
      }
      return std::make_shared<const Keywords>(words);
    };
    options.log = std::make_shared<hearth::Log>(hearth::LogLevel::error);
    auto started = hearth::Daemon::start(std::move(options));
    if (!started) give_up(started.error().detail.c_str());
    daemon_ = *std::move(started);
  }
  ~WarmDaemon() {
    daemon_->shutdown();
    daemon_->wait();
    daemon_.reset();
    std::filesystem::remove_all(folder_);
  }
  WarmDaemon(const WarmDaemon&) = delete;
  WarmDaemon& operator=(const WarmDaemon&) = delete;
  [[nodiscard]] hearth::Daemon& get() { return *daemon_; }

 private:
  std::string folder_;
  std::unique_ptr<hearth::Daemon> daemon_;
};

struct Options {
  std::string url;
  std::string text = "can you see my screen?";
  std::size_t requests = 2000;
  std::size_t rounds = 10;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--url")
      options.url = value;
    else if (name == "--text")
      options.text = value;
    else if (name == "--requests")
      options.requests = std::strtoul(value.c_str(), nullptr, 10);
    else if (name == "--rounds")
      options.rounds = std::strtoul(value.c_str(), nullptr, 10);
    else
      give_up("unknown option; see the head of bench/command_bench.cpp");
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const hearth::ServerOptions anywhere{.listen_http = "127.0.0.1:0"};
  const std::string body = R"({"text":")" + options.text + R"(","lease_ms":1000})";
  std::optional<WarmDaemon> daemon;
  std::optional<hearth::Server> server;
  std::string url = options.url;
  if (url.empty()) {
    daemon.emplace();
    server.emplace(daemon->get(), anywhere);
    if (const auto started = server->start(); !started) give_up(started.error().detail.c_str());
    url = server->address();
  }
  const auto address = hearth::parse_http_address(url);
  if (!address) give_up(address.error().detail.c_str());
  Load hearth_load("hearth, the daemon", *address, body);
  hearth_load.run(options.requests, false);
  const std::string answer = hearth_load.last_body();

  hearth::FakeService service;
  hearth::Server fixed(service, anywhere);
  if (const auto started = fixed.start(); !started) give_up(started.error().detail.c_str());
  Load fixed_load("hearth, fixed answers", {.host = "127.0.0.1", .port = fixed.port()}, body);
  EchoServer echo(answer);
  Load echo_load("bare Beast echo", {.host = "127.0.0.1", .port = echo.port()}, body);
  const auto nginx = Nginx::start(answer);
  std::optional<Load> nginx_load;
  if (nginx) nginx_load.emplace("nginx", hearth::HttpAddress{.port = nginx->port()}, body);
  for (std::size_t round = 0; round <= options.rounds; ++round) {
    const bool is_counted = round > 0;
    hearth_load.run(options.requests, is_counted);
    echo_load.run(options.requests, is_counted);
    fixed_load.run(options.requests, is_counted);
    if (nginx_load) nginx_load->run(options.requests, is_counted);
  }
  std::printf("warm POST /v1/commands, %zu requests each, one kept connection\n",
              options.requests * options.rounds);
  hearth_load.print();
  fixed_load.print();
  echo_load.print();
  if (nginx_load)
    nginx_load->print();
  else
    std::printf("%-24s not installed\n", "nginx");
  std::printf("ratio to the echo: %.2f (at most 1.30 is wanted)\n",
              hearth_load.percentile(0.5) / echo_load.percentile(0.5));
  return 0;
}

// A warm POST /v1/commands beside a bare Beast echo and, where it is installed, nginx.
//
//   command_bench [--url URL] [--text TEXT] [--requests N] [--rounds N]
//
// One client thread, one kept connection, rounds in turn, medians over all requests; first with
// everything on one core, then with the servers on another than the client. Without --url the
// daemon runs in this process, whole but for its components, which are loaded and warm without a
// process behind them; the HTTP path alone, over fixed answers, stands beside it. With --url it is
// a running daemon (TEXT should need a component that is loaded and warm).
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
#include "support/echo_server.h"
#include "support/http_load.h"
#include "support/placement.h"
#include "support/warm_daemon.h"

namespace {

using namespace std::chrono_literals;
using hearth::bench::EchoServer;
using hearth::bench::give_up;
using hearth::bench::Load;
using hearth::bench::Placement;
using hearth::bench::post_text;
using hearth::bench::WarmDaemon;
using tcp = boost::asio::ip::tcp;

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
  [[nodiscard]] pid_t process() const { return process_; }

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
  const std::string body =
      post_text("/v1/commands", R"({"text":")" + options.text + R"(","lease_ms":1000})");
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
  std::vector<Load*> loads{&hearth_load, &fixed_load, &echo_load};
  if (nginx_load) loads.push_back(&*nginx_load);
  std::printf("warm POST /v1/commands, %zu requests each, one kept connection\n",
              options.requests * options.rounds);
  if (!nginx_load) std::printf("nginx is not installed\n");
  for (const Placement placement : {Placement::one_core, Placement::two_cores}) {
    if (!hearth::bench::place(placement, {nginx ? nginx->process() : 0})) continue;
    for (std::size_t round = 0; round <= options.rounds; ++round) {
      for (Load* load : loads) load->run(options.requests, round > 0);
    }
    std::printf("%s\n", name_of(placement));
    for (Load* load : loads) load->print();
    std::printf("ratio to the echo: %.2f (at most 1.30 is wanted)\n",
                hearth_load.percentile(0.5) / echo_load.percentile(0.5));
    for (Load* load : loads) load->forget();
  }
  return 0;
}

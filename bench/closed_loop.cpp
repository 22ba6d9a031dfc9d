// A thousand clients in a closed loop over more components than fit: is anybody lost, served by
// another component, or kept waiting?
//
//   closed_loop --hearth PATH [--seconds 60] [--clients 1000] [--components 20] [--fit 5]
//   closed_loop component PORT NAME      what it starts: ready after 50 ms, answers after 20 ms
//
// A real daemon with real processes. Each client has one kept connection, asks a component drawn
// at random for a chat completion, checks that the answer carries the component's name and its own
// nonce, and asks again at once. Ends with 1 when an answer was lost or wrong.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/prng.h"

namespace {

using namespace std::chrono_literals;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::size_t held_bytes = 24 * 1024 * 1024;
constexpr int memory_mib = 30;  // declared; the measured peak and a tenth come to about this

// --- the component ---

class Answering : public std::enable_shared_from_this<Answering> {
 public:
  Answering(tcp::socket socket, std::string name)
      : stream_(std::move(socket)), timer_(stream_.get_executor()), name_(std::move(name)) {
    stream_.socket().set_option(tcp::no_delay(true));
  }
  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                       if (!error) self->think();
                     });
  }

 private:
  void think() {
    const bool is_probe = request_.method() == http::verb::get;
    timer_.expires_after(is_probe ? 0ms : 20ms);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) { self->write(); });
  }
  void write() {
    response_ = {};
    response_.result(http::status::ok);
    response_.set("X-Nonce", request_["X-Nonce"]);
    response_.keep_alive(request_.keep_alive());
    response_.body() = name_;
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error && self->request_.keep_alive()) self->read();
                      });
  }

  boost::beast::tcp_stream stream_;
  boost::asio::steady_timer timer_;
  std::string name_;
  boost::beast::flat_buffer buffer_;
  Request request_;
  Response response_;
};

void accept(tcp::acceptor& acceptor, const std::string& name) {
  acceptor.async_accept([&acceptor, name](boost::system::error_code error, tcp::socket socket) {
    if (error) return;
    std::make_shared<Answering>(std::move(socket), name)->read();
    accept(acceptor, name);
  });
}

int be_component(std::uint16_t port, const std::string& name) {
  const std::vector<char> held(held_bytes, 'x');  // touched: it counts
  std::this_thread::sleep_for(50ms);
  boost::asio::io_context io{1};
  tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  accept(acceptor, name);
  io.run();
  return held.front() == 'x' ? 0 : 1;
}

// --- the clients ---

struct Results {
  std::vector<double> waits_ms;  // of those served
  std::uint64_t wrong = 0;
  std::uint64_t lost = 0;
  std::map<std::string, std::uint64_t> refusals;  // by what they said
  std::uint64_t unexplained = 0;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(boost::asio::io_context& io, std::uint16_t port, std::uint64_t seed, int components,
         Clock::time_point end, Results& results)
      : stream_(io),
        port_(port),
        prng_(seed),
        components_(components),
        end_(end),
        results_(results) {}

  void begin() {
    stream_.async_connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port_),
                          [self = shared_from_this()](boost::system::error_code error) {
                            if (error) return self->lose();
                            self->stream_.socket().set_option(tcp::no_delay(true));
                            self->ask();
                          });
  }

 private:
  void ask() {
    if (Clock::now() >= end_) return;
    wanted_ = "c" + std::to_string(prng_.below(static_cast<std::uint64_t>(components_)));
    nonce_ = std::to_string(prng_.next());
    request_ = Request{http::verb::post, "/v1/chat/completions", 11};
    request_.set(http::field::host, "localhost");
    request_.set(http::field::content_type, "application/json");
    request_.set("X-Nonce", nonce_);
    request_.body() = R"({"model":")" + wanted_ + R"(","messages":[]})";
    request_.prepare_payload();
    asked_ = Clock::now();
    http::async_write(stream_, request_,
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (error) return self->lose();
                        self->read();
                      });
  }
  void read() {
    response_ = {};
    http::async_read(stream_, buffer_, response_,
                     [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                       if (error) return self->lose();
                       self->judge();
                       self->ask();
                     });
  }
  void judge() {
    if (response_.result() == http::status::ok) {
      const std::chrono::duration<double, std::milli> waited = Clock::now() - asked_;
      results_.waits_ms.push_back(waited.count());
      if (response_.body() != wanted_ || response_["X-Nonce"] != nonce_) ++results_.wrong;
      return;
    }
    const std::string& body = response_.body();
    const std::size_t at = body.find("\"message\":\"");
    if (at == std::string::npos) {
      ++results_.unexplained;
      return;
    }
    const std::string reason = body.substr(at + 11, body.find('"', at + 11) - at - 11);
    ++results_.refusals[std::to_string(response_.result_int()) + " " + reason];
  }
  void lose() { ++results_.lost; }

  boost::beast::tcp_stream stream_;
  std::uint16_t port_;
  hearth::Prng prng_;
  int components_;
  Clock::time_point end_;
  Results& results_;
  boost::beast::flat_buffer buffer_;
  Request request_;
  Response response_;
  std::string wanted_;
  std::string nonce_;
  Clock::time_point asked_;
};

// --- the daemon ---

struct Options {
  std::string hearth;
  int seconds = 60;
  int clients = 1000;
  int components = 20;
  int fit = 5;
};

class RealDaemon {
 public:
  RealDaemon(const Options& options, const std::string& self) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-loop-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::ofstream file(folder_ + "/hearth.yaml");
    file << "listen: {http: \"127.0.0.1:0\"}\nstate: " << folder_ << "/state\nlog: {level: error}\n"
         << "memory: {budget: " << options.fit * memory_mib + memory_mib / 3 << "MiB}\n"
         << "loading: {parallel: 4}\ncomponents:\n";
    for (int i = 0; i < options.components; ++i) {
      file << "  c" << i << ": {cmd: [\"" << self << "\", component, \"${PORT}\", c" << i
           << "], ready: {http: /}, memory: " << memory_mib << "MiB}\n";
    }
    file.close();
    process_ = ::fork();
    if (process_ == 0) {
      const std::string config = folder_ + "/hearth.yaml";
      ::execl(options.hearth.c_str(), "hearth", "serve", "--config", config.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~RealDaemon() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  RealDaemon(const RealDaemon&) = delete;
  RealDaemon& operator=(const RealDaemon&) = delete;

  // 0 when it does not come.
  [[nodiscard]] std::uint16_t port() const {
    for (int i = 0; i < 1000; ++i) {
      std::ifstream file(folder_ + "/state/address.json");
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      const std::size_t at = text.find("127.0.0.1:");
      std::uint16_t port = 0;
      if (at != std::string::npos) {
        (void)std::from_chars(text.data() + at + 10, text.data() + text.size(), port);
      }
      if (port != 0) return port;
      std::this_thread::sleep_for(10ms);
    }
    return 0;
  }

 private:
  std::string folder_;
  pid_t process_ = -1;
};

int report(const Options& options, Results& results) {
  std::vector<double>& waits = results.waits_ms;
  std::ranges::sort(waits);
  double sum = 0;
  for (const double wait : waits) sum += wait;
  const double mean = waits.empty() ? 0 : sum / static_cast<double>(waits.size());
  const auto at = [&](double share) {
    return waits.empty()
               ? 0
               : waits[static_cast<std::size_t>(share * static_cast<double>(waits.size() - 1))];
  };
  std::printf("%d clients, %d components of which %d fit, %d s\n", options.clients,
              options.components, options.fit, options.seconds);
  std::printf("served %zu (%.0f/s), wrong %llu, lost %llu, refused without a reason %llu\n",
              waits.size(), static_cast<double>(waits.size()) / options.seconds,
              static_cast<unsigned long long>(results.wrong),
              static_cast<unsigned long long>(results.lost),
              static_cast<unsigned long long>(results.unexplained));
  for (const auto& [reason, count] : results.refusals) {
    std::printf("  refused %llu times: %s\n", static_cast<unsigned long long>(count),
                reason.c_str());
  }
  std::printf("wait ms: mean %.0f, p50 %.0f, p95 %.0f, p99 %.0f, max %.0f\n", mean, at(0.5),
              at(0.95), at(0.99), at(1));
  std::printf("the longest wait is %.2f times the mean (at most 3.00 is wanted)\n", at(1) / mean);
  return results.wrong + results.lost + results.unexplained == 0 && !waits.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "component" && argc == 4) {
    return be_component(static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)), argv[3]);
  }
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const int value = static_cast<int>(std::strtol(argv[i + 1], nullptr, 10));
    if (name == "--hearth") options.hearth = argv[i + 1];
    if (name == "--seconds") options.seconds = value;
    if (name == "--clients") options.clients = value;
    if (name == "--components") options.components = value;
    if (name == "--fit") options.fit = value;
  }
  if (options.hearth.empty() || options.clients < 1 || options.components < 1) {
    std::fprintf(stderr, "closed_loop --hearth PATH [--seconds N] [--clients N] ...\n");
    return 2;
  }
  const RealDaemon daemon(options, std::filesystem::canonical("/proc/self/exe"));
  const std::uint16_t port = daemon.port();
  if (port == 0) {
    std::fprintf(stderr, "closed_loop: the daemon did not start\n");
    return 1;
  }
  boost::asio::io_context io{1};
  Results results;
  const auto end = Clock::now() + std::chrono::seconds{options.seconds};
  for (int i = 0; i < options.clients; ++i) {
    std::make_shared<Client>(io, port, static_cast<std::uint64_t>(i) + 1, options.components, end,
                             results)
        ->begin();
  }
  io.run();
  return report(options, results);
}

// What passing a request on to a component adds, beside a bare Beast proxy.
//
//   gateway_bench [REQUESTS [ROUNDS]]
//
// One client thread with one kept connection, one component (a bare Beast echo) on a thread of its
// own, and between them in turn: nothing; a proxy that Beast makes in the plainest way, with one
// thread and one kept connection to the component; Hearth, a whole daemon in this process, with the
// component warm; first with everything on one core, then with the client on a core of its own.
// What is compared is what each adds to the median of nothing.
#include <optional>

#include "api/server.h"
#include "support/echo_server.h"
#include "support/http_load.h"
#include "support/placement.h"
#include "support/warm_daemon.h"

namespace {

using hearth::bench::EchoServer;
using hearth::bench::give_up;
using hearth::bench::Load;
using hearth::bench::Placement;
using hearth::bench::post_text;
using hearth::bench::WarmDaemon;
namespace http = boost::beast::http;
using tcp = boost::asio::ip::tcp;

// Reads a whole request, sends it on, reads the whole answer, sends it back.
class ProxySession : public std::enable_shared_from_this<ProxySession> {
  using Step = void (ProxySession::*)();
  auto next(Step step) {
    return [self = shared_from_this(), step](boost::system::error_code error, std::size_t) {
      if (!error) (self.get()->*step)();
    };
  }

 public:
  ProxySession(tcp::socket client, std::uint16_t component)
      : client_(std::move(client)), component_(client_.get_executor()) {
    client_.socket().set_option(tcp::no_delay(true));
    component_.connect({boost::asio::ip::address_v4::loopback(), component});
    component_.socket().set_option(tcp::no_delay(true));
  }
  void read() {
    request_ = {};
    http::async_read(client_, client_buffer_, request_, next(&ProxySession::pass));
  }

 private:
  void pass() { http::async_write(component_, request_, next(&ProxySession::read_answer)); }
  void read_answer() {
    answer_ = {};
    http::async_read(component_, component_buffer_, answer_, next(&ProxySession::pass_back));
  }
  void pass_back() { http::async_write(client_, answer_, next(&ProxySession::read)); }

  boost::beast::tcp_stream client_;
  boost::beast::tcp_stream component_;
  boost::beast::flat_buffer client_buffer_;
  boost::beast::flat_buffer component_buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> answer_;
};

class BeastProxy {
 public:
  explicit BeastProxy(std::uint16_t component)
      : component_(component),
        acceptor_(io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~BeastProxy() {
    io_.stop();
    thread_.join();
  }
  BeastProxy(const BeastProxy&) = delete;
  BeastProxy& operator=(const BeastProxy&) = delete;
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<ProxySession>(std::move(socket), component_)->read();
      accept();
    });
  }

  std::uint16_t component_;
  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t requests = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2000;
  const std::size_t rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10;
  if (requests == 0 || rounds == 0) give_up("gateway_bench [REQUESTS [ROUNDS]]");
  EchoServer component(std::string(400, 'x'));
  BeastProxy proxy(component.port());
  WarmDaemon daemon("http://127.0.0.1:" + std::to_string(component.port()));
  hearth::Server server(daemon.get(), {.listen_http = "127.0.0.1:0"});
  if (const auto started = server.start(); !started) give_up(started.error().detail.c_str());

  const std::string request = post_text(
      "/v1/chat/completions",
      R"({"model":"ocr","messages":[{"role":"user","content":"what is on my screen?"}]})");
  Load direct("nothing between", {.port = component.port()}, request);
  Load beast("bare Beast proxy", {.port = proxy.port()}, request);
  Load hearth("hearth", {.port = server.port()}, request);
  std::printf("a warm chat completion, %zu requests each, one kept connection\n",
              requests * rounds);
  for (const Placement placement : {Placement::one_core, Placement::two_cores}) {
    if (!hearth::bench::place(placement)) continue;
    for (std::size_t round = 0; round <= rounds; ++round) {
      for (Load* load : {&direct, &beast, &hearth}) load->run(requests, round > 0);
    }
    std::printf("%s\n", name_of(placement));
    for (Load* load : {&direct, &beast, &hearth}) load->print();
    const double base = direct.percentile(0.5);
    const double added = hearth.percentile(0.5) - base;
    const double beside = beast.percentile(0.5) - base;
    std::printf(
        "added to the median: hearth %.1f us, Beast %.1f us, ratio %.2f (at most 1.30 is "
        "wanted)\n",
        added, beside, added / beside);
    for (Load* load : {&direct, &beast, &hearth}) load->forget();
  }
  return 0;
}

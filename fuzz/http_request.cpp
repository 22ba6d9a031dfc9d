// Any bytes as a connection: they are cut into requests and each is answered, over fixed answers.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "api/fake_service.h"
#include "api/relay_head.h"
#include "api/request_reader.h"
#include "api/route.h"
#include "api/server.h"
#include "codec/json.h"

namespace {

class DirectExchange final : public hearth::Exchange {
 public:
  using Exchange::Exchange;
  hearth::RequestReader reader;
  int answers = 0;

  [[nodiscard]] const hearth::ApiRequest& request() const override { return reader.request(); }
  [[nodiscard]] std::string_view peer() const override { return "peer"; }
  [[nodiscard]] bool is_unix() const override { return is_local; }
  [[nodiscard]] std::string_view listen_host() const override { return "127.0.0.1"; }
  void reply(hearth::ApiResponse response) override {
    ++answers;
    if (response.status < 200 || response.status > 504) std::abort();
    const bool is_json = response.content_type.find("json") != std::string_view::npos;
    if (is_json && !hearth::parse_json_object(response.body, 64)) std::abort();
    std::string out;
    hearth::append_response(out, response, {});
  }
  void stream(std::uint64_t) override { ++answers; }
  void wait_for(hearth::RequestId) override {}
  [[nodiscard]] const hearth::GatewayCounts& gateway_counts() const override { return counts; }
  void forget() { next_turn(); }
  bool is_local = false;
  hearth::GatewayCounts counts;

 protected:
  [[nodiscard]] bool is_here() const override { return true; }
  void post(std::move_only_function<void()> work) override { work(); }
};

// What would be sent to a component in this request's name.
void check_relay(DirectExchange& exchange) {
  const hearth::Route* const route = find_relay(exchange);
  if (route != nullptr && route->relay == nullptr) std::abort();
  const hearth::HeaderList headers = exchange.reader.headers();
  hearth::RelayRequest request;
  request.method = exchange.reader.method();
  request.target = exchange.reader.target();
  request.is_upgrade = hearth::asks_for_upgrade(headers);
  request.fields = hearth::passing_fields(headers, "key", request.is_upgrade);
  request.framing = exchange.reader.framing();
  const std::string head = request_head(request, {});
  // One head, whatever the values hold.
  if (head.find("\r\n\r\n") != head.size() - 4) std::abort();
  exchange.forget();
}

}  // namespace

// The first byte chooses how the rest arrives and from where.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  hearth::FakeService service;
  const hearth::ServerOptions options{.hosts = {"hearth.lan"},
                                      .api_key = (data[0] & 2) != 0 ? "key" : ""};
  const auto exchange = std::make_shared<DirectExchange>(service, options);
  exchange->is_local = (data[0] & 1) != 0;
  const std::size_t piece = (data[0] & 4) != 0 ? 7 : 65536;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string held;
  while (!rest.empty()) {
    held += rest.substr(0, piece);
    rest.remove_prefix(std::min(piece, rest.size()));
    while (!held.empty()) {
      auto fed = exchange->reader.feed(held);
      if (fed.consumed > held.size()) std::abort();
      held.erase(0, fed.consumed);
      if (fed.state == hearth::RequestReader::State::head) {
        check_relay(*exchange);
        fed = exchange->reader.feed(held);
        if (fed.consumed > held.size() || fed.state == hearth::RequestReader::State::head) {
          std::abort();
        }
        held.erase(0, fed.consumed);
      }
      (void)exchange->reader.wants_continue();
      if (fed.state == hearth::RequestReader::State::refused) return 0;
      if (fed.state == hearth::RequestReader::State::more) break;
      const int before = exchange->answers;
      dispatch(*exchange);
      if (exchange->answers != before + 1) std::abort();  // exactly one answer a request
      exchange->forget();
      exchange->reader.reset();
    }
  }
  return 0;
}

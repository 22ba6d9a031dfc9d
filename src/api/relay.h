// One request on its way to a component, and the answer on its way back.
//
// Contract   finds which component is meant (by the path, or by `model` in the body), gets it
//            loaded and leased for the length of the answer, and passes the bytes on as they come,
//            in both directions. Kept of a body is no more than finding the component needs, or
//            what arrives while it loads, up to a bound; then the client is not read. An answer is
//            read only as fast as the client takes it. When the client is gone everything that was
//            done for it ends: the wait, the lease, the exchange with the component. A rule may
//            say that a component is not to be woken for a question (`known`), or that it need not
//            be asked at all (`done`).
// Errors     told in the dialect of the route. Before an answer has begun: 400 no model, 404 no
//            such component, 413 no model within `kept_max`, 429 and 503 not admitted, 502
//            the component closed or sent what is not HTTP, 504 patience over or no answer in time.
//            After: an event of the stream where there can be one; else the connection breaks off.
// Threads    the server's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "api/dialect.h"
#include "api/gateway.h"
#include "api/gateway_counts.h"
#include "api/relay_head.h"
#include "api/route.h"
#include "codec/member_scan.h"
#include "runtime/service.h"

namespace hearth {

struct ServerState;

struct RelayStart {
  RelayRequest request;
  RelayRule rule;
  std::string component;  // of a path or a query; else the body names it
  std::string content_type;
  std::string session;
  Duration patience{0};
  Duration comment_interval{0};  // of a stream that waits for its load; 0: no comments
  bool is_preload_only = false;
  bool is_http_1_1 = true;
  bool is_kept = true;  // the client's connection may go on
};

class Relay final : public std::enable_shared_from_this<Relay> {
 public:
  using Clock = std::chrono::steady_clock;

  // The connection that a relay serves. Each relay ends with exactly one answer(), end() or
  // break_off(), or is told abandon().
  class Client {
   public:
    virtual ~Client() = default;
    virtual void send(std::string_view bytes) = 0;    // what finds no room is kept
    [[nodiscard]] virtual bool has_room() const = 0;  // nothing is kept
    virtual void answer(Problem problem) = 0;         // nothing was sent before
    virtual void answer(int status, std::string json) = 0;
    virtual void end(bool is_kept) = 0;  // all of the answer was sent
    virtual void break_off() = 0;        // closes once all is sent
    virtual void take_input() = 0;       // wants_input() has become true
  };

  Relay(std::shared_ptr<ServerState> state, Client& client, RelayStart start);
  ~Relay();

  void begin();
  // From the front of what the client has sent: how much of it belonged to this request.
  [[nodiscard]] std::size_t take(std::string_view bytes);
  [[nodiscard]] bool wants_input() const;
  [[nodiscard]] bool is_request_whole() const { return request_body_.is_done(); }
  void on_room();
  void abandon();
  void look_at_the_clock(Clock::time_point now);

 private:
  enum class Stage : unsigned char {
    choosing,  // whom it is for
    queued,    // others speak to the component
    asking,    // for the lease: it may have to be loaded
    connecting,
    exchanging,
    over,
  };

  // relay_choice.cpp
  void look_for_component(std::string_view payload);
  void choose();
  [[nodiscard]] std::optional<std::string> named();
  [[nodiscard]] bool has_keep_alive() const { return start_.rule.dialect == Dialect::ollama; }
  void choose_by_intent();
  void go_for(std::string_view name);
  void preload(ComponentId id);
  void answer_preload();
  // Among those who may speak to it now; then `go_on`.
  void enter(void (Relay::*go_on)());
  void ask();
  void answered(Answer answer);
  [[nodiscard]] std::optional<Duration> keep_alive() const;
  void keep_as_asked();
  void chosen_by_intent(Answer answer);

  // relay_wishes.cpp
  // Nothing is asked of the model but to come or to go; nullopt: more of the body is needed.
  [[nodiscard]] std::optional<bool> is_wish() const;
  void grant_wish();
  void wish_granted();
  void look();
  void looked(DaemonStatus status);
  void answer_known();
  [[nodiscard]] std::string payload() const;

  // A callback for the service that goes on here, on the server's thread.
  template <class Value, class Then>
  auto later(Then then) {
    return [self = shared_from_this(), then = std::move(then)](Value value) mutable {
      if (self->is_here()) {
        then(*self, std::move(value));
        return;
      }
      Relay& relay = *self;
      relay.post([self = std::move(self), then = std::move(then),
                  value = std::move(value)]() mutable { then(*self, std::move(value)); });
    };
  }
  [[nodiscard]] bool is_here() const;
  void post(std::move_only_function<void()> work);

  // relay.cpp
  void speak() { connect(true); }
  void connect(bool may_be_used);
  void connected();
  void write_up();
  void await_write();
  void await_read();
  void read_up();
  void take_answer(std::string_view bytes);
  [[nodiscard]] std::optional<std::size_t> take_head(std::string_view bytes);
  bool begin_answer(ResponseHead head, std::string& out);
  void pass_body(std::string_view bytes, std::string out);
  void upstream_ended();
  void comment();
  void pass_error_as_event();
  void finish(bool is_upstream_kept);
  void refuse(int status, Errc code, std::string detail);
  void refuse(Problem problem);
  void broken(std::string detail);
  void let_go(GatewayOutcome outcome);
  [[nodiscard]] std::string own_fields() const;
  [[nodiscard]] std::string_view component_name() const;

  std::shared_ptr<ServerState> state_;
  Client* client_;
  RelayStart start_;
  Stage stage_ = Stage::choosing;
  Clock::time_point began_ = Clock::now();
  Clock::time_point since_ = began_;    // of the stage
  Clock::time_point renewed_ = began_;  // the lease

  BodyScanner request_body_;
  std::variant<std::monostate, JsonMembers, MultipartFields> finder_;
  std::string up_;  // for the component: what the client sent, framing and all
  std::size_t up_sent_ = 0;
  bool is_writing_ = false;
  bool is_up_broken_ = false;  // the component takes no more; what comes is dropped
  bool has_head_ = false;      // up_ begins, or began, with the head
  bool is_replayable_ = true;  // up_ still holds all of the request

  std::shared_ptr<const Names> names_;
  ComponentId id_;
  bool is_inside_ = false;    // of the gateway's place
  std::uint64_t ticket_ = 0;  // waiting for it
  RequestId waiting_;         // what the service is asked
  LeaseId lease_;
  bool is_cold_ = false;
  Duration wait_{0};
  std::string endpoint_;
  std::string known_;     // what is answered if the component does not
  bool is_wish_ = false;  // it is not spoken to
  HttpAddress address_;
  std::unique_ptr<Upstream> upstream_;
  bool is_reading_ = false;

  std::string head_;         // of the answer, while it is not whole
  bool has_answer_ = false;  // its head was passed on
  bool is_upstream_kept_ = false;
  bool is_tunnel_ = false;
  bool is_event_stream_ = false;
  bool is_comment_sent_ = false;  // the client has a head of ours already
  bool is_error_event_ = false;   // head_ collects an error for a stream that has begun
  Clock::time_point commented_ = began_;
  BodyScanner answer_body_;
  BodyFraming answer_framing_;
  BodyPass pass_ = BodyPass::raw;
};

}  // namespace hearth

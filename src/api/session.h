// One connection: requests in, answers out, in order.
//
// Contract   a client that hangs up while a request waits takes it along (Service::abandon), or its
//            relay.
//            Requests that arrive while one waits are kept up to a bound and then not read. What
//            cannot be sent at once is sent when the socket takes it; a stream that falls behind
//            loses items.
// Threads    the server's thread, but for what Exchange says.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "api/event_feed.h"
#include "api/exchange.h"
#include "api/relay.h"
#include "api/request_reader.h"
#include "api/server.h"
#include "runtime/mutex.h"

namespace hearth {

class Session;

// What all sessions of a server share. Outlives the server while a callback still holds a session.
struct ServerState {
  ServerState(Service& service_in, ServerOptions options_in);
  using Clock = std::chrono::steady_clock;

  // Runs on the server's thread; dropped after close().
  void post(std::move_only_function<void()> work);
  void close();
  // Gives a lease back; the service sees it soon. Server's thread.
  void let_go(LeaseId lease);
  // Now, for a header; written anew once a second. Server's thread.
  std::string_view date();

  Service& service;
  ServerOptions options;  // hosts and api_key change, on the server's thread
  boost::asio::io_context io{1};
  Gateway gateway{io};
  boost::asio::steady_timer looking{io};
  bool is_looking = false;
  GatewayCounts gateway_counts;
  std::thread::id thread;
  std::string listen_host;
  std::unordered_set<std::shared_ptr<Session>> sessions;
  std::string scratch;  // what one read brings
  std::int64_t date_of = -1;
  std::string date_text;
  Mutex mutex;
  bool is_closed HEARTH_GUARDED_BY(mutex) = false;
};

struct SessionOrigin {
  bool is_unix = false;
  bool is_excess = false;  // one connection too many: told so and closed
  std::string peer;
};

class Session final : public Exchange, private Relay::Client {
 public:
  Session(std::shared_ptr<ServerState> state, int fd, SessionOrigin origin);

  void start();
  void close();
  // Ends what takes too long; called from time to time.
  void look_at_the_clock(ServerState::Clock::time_point now);

  [[nodiscard]] const ApiRequest& request() const override { return reader_.request(); }
  [[nodiscard]] std::string_view peer() const override { return origin_.peer; }
  [[nodiscard]] bool is_unix() const override { return origin_.is_unix; }
  [[nodiscard]] std::string_view listen_host() const override { return state_->listen_host; }
  void reply(ApiResponse response) override;
  void stream(std::uint64_t after) override;
  void wait_for(RequestId request) override;
  [[nodiscard]] const GatewayCounts& gateway_counts() const override {
    return state_->gateway_counts;
  }

 protected:
  [[nodiscard]] bool is_here() const override;
  void post(std::move_only_function<void()> work) override;

 private:
  enum class Phase : unsigned char { reading, answering, relaying, streaming, draining, closed };

  // For the relay.
  void send(std::string_view bytes) override;
  [[nodiscard]] bool has_room() const override { return output_.empty(); }
  void answer(hearth::Problem told) override;
  void answer(int status, std::string json) override;
  void end(bool is_kept) override;
  void break_off() override;
  void take_input() override;

  std::shared_ptr<Session> self();
  void set_phase(Phase phase);
  void await_input();
  void read_some();
  [[nodiscard]] std::size_t consume(std::string_view input);
  std::size_t consume_request(std::string_view input);
  void begin_relay(const Route& route);
  [[nodiscard]] std::string relay_target(const Route& route) const;
  void look_at_relay(ServerState::Clock::time_point now);
  void go_on();
  void refuse(int status, std::string detail);
  void flush();
  void await_room();
  void write_events();
  void append_entry(const EventFeed::Entry& entry);
  void drain();

  std::shared_ptr<ServerState> state_;
  boost::asio::posix::stream_descriptor socket_;
  SessionOrigin origin_;
  RequestReader reader_;
  Phase phase_ = Phase::reading;
  ServerState::Clock::time_point since_;  // when the phase began, or the last progress in it
  std::string input_;                     // arrived and not yet parsed
  std::string output_;                    // to be sent, from sent_ on
  std::size_t sent_ = 0;
  std::size_t drained_ = 0;
  RequestId waiting_;  // what the Service is asked for just now
  std::shared_ptr<EventFeed> feed_;
  std::shared_ptr<Relay> relay_;
  bool is_consuming_ = false;  // a route may answer within the call
  bool is_reading_ = false;    // a wait for input is under way
  bool is_writing_ = false;    // a wait for room is under way
  bool ends_after_ = false;    // the last answer of this connection is in output_
};

}  // namespace hearth

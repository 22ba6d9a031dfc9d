// One request and the way to its answer: what a route is given.
//
// Contract   a route calls reply(), problem() or stream() exactly once, at once or later through a
//            callback made by answered() or later(), which runs on the exchange's own thread and is
//            dropped when the exchange has ended meanwhile. wait_for() names the request of the
//            Service that is abandoned when the client hangs up.
// Threads    of its own thread, but for the callbacks that answered() and later() make.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/dialect.h"
#include "api/gateway_counts.h"
#include "api/http.h"
#include "base/result.h"
#include "runtime/service.h"

namespace hearth {

struct ServerOptions;

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Service& service, const ServerOptions& options) : service_(service), options_(options) {}
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] virtual const ApiRequest& request() const = 0;
  [[nodiscard]] virtual std::string_view peer() const = 0;
  [[nodiscard]] virtual bool is_unix() const = 0;  // came over the Unix socket
  [[nodiscard]] virtual std::string_view listen_host() const = 0;
  virtual void reply(ApiResponse response) = 0;
  // Answers with the events after this sequence number, for as long as the client stays.
  virtual void stream(std::uint64_t after) = 0;
  virtual void wait_for(RequestId request) = 0;
  [[nodiscard]] virtual const GatewayCounts& gateway_counts() const = 0;

  void reply_json(int status, std::string body) {
    reply({.status = status, .body = std::move(body)});
  }
  void problem(const Error& error);
  using Problem = hearth::Problem;
  void problem(Problem problem);  // in the dialect

  [[nodiscard]] Service& service() { return service_; }
  [[nodiscard]] const ServerOptions& options() const { return options_; }
  [[nodiscard]] const Names& names();
  [[nodiscard]] std::int64_t unix_ms_of(Instant at) const;

  // What the pattern's {parts} stand for, decoded.
  std::vector<std::string> parameters;
  // In which errors are told.
  Dialect dialect = Dialect::problem;

  // A callback for the Service that goes on with `then(*this, value)` on this exchange's thread.
  template <class Value, class Then>
  auto later(Then then) {
    return [self = shared_from_this(), turn = turn_, then = std::move(then)](Value value) mutable {
      if (self->is_here()) {
        if (turn == self->turn_) then(*self, std::move(value));
        return;
      }
      Exchange& exchange = *self;
      exchange.post([self = std::move(self), turn, then = std::move(then),
                     value = std::move(value)]() mutable {
        if (turn == self->turn_) then(*self, std::move(value));
      });
    };
  }
  template <class Then>
  AnswerCallback answered(Then then) {
    return later<Answer>(std::move(then));
  }

 protected:
  [[nodiscard]] virtual bool is_here() const = 0;  // on its own thread now
  virtual void post(std::move_only_function<void()> work) = 0;
  // Everything that still wants to answer the request before comes too late.
  void next_turn() {
    ++turn_;
    names_.reset();
    parameters.clear();
    dialect = Dialect::problem;
  }

 private:
  Service& service_;
  const ServerOptions& options_;
  std::shared_ptr<const Names> names_;
  std::uint64_t turn_ = 0;
};

}  // namespace hearth

// What the relays of a server share: who may speak to a component now, and connections to it.
//
// Contract   enter() lets at most `concurrency` relays of a component in at once; the others wait,
//            first come first served, and each is told by its `go` when it is in. Who is in calls
//            leave() once; who still waits and is not interested any more calls withdraw().
//            Connections that were given back are handed out again within their idle time, and
//            never one that its component has closed; those are dropped when it is spoken to at
//            another address.
// Errors     exhausted: too many wait for that component.
// Threads    the server's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "net/http_client.h"

namespace hearth {

// A connection to a component.
struct Upstream {
  Upstream(boost::asio::io_context& io, int fd) : socket(io, fd) {}
  boost::asio::posix::stream_descriptor socket;
  bool is_connecting = false;
  bool was_used = false;  // for another exchange before: its component may close it any time
};

class Gateway {
 public:
  using Go = std::move_only_function<void()>;
  using Clock = std::chrono::steady_clock;

  explicit Gateway(boost::asio::io_context& io) : io_(io), timer_(io) {}

  // True: in, and `go` is not called. `limit` 0: no limit.
  [[nodiscard]] Result<bool> enter(ComponentId id, unsigned limit, std::uint64_t ticket, Go go);
  void leave(ComponentId id);
  void withdraw(ComponentId id, std::uint64_t ticket);
  [[nodiscard]] std::uint64_t next_ticket() { return ++tickets_; }

  // `may_be_used`: one that has carried another exchange will do.
  [[nodiscard]] Result<std::unique_ptr<Upstream>> connect(ComponentId id,
                                                          const HttpAddress& address,
                                                          bool may_be_used);
  void give_back(ComponentId id, const HttpAddress& address, std::unique_ptr<Upstream> upstream);

  void close();

  static constexpr std::size_t waiting_max = 2048;  // for one component

 private:
  struct Waiting {
    std::uint64_t ticket = 0;
    Go go;
  };
  struct Place {
    unsigned limit = 0;
    unsigned inside = 0;
    std::deque<Waiting> waiting;
    bool is_letting_in = false;  // who leaves meanwhile leaves the rest to that
  };
  struct Idle {
    std::unique_ptr<Upstream> upstream;
    Clock::time_point since;
  };
  // A component may answer at several addresses, and comes back at others.
  using PoolKey = std::pair<ComponentId, std::string>;
  [[nodiscard]] std::unique_ptr<Upstream> take_idle(ComponentId id, const std::string& address);
  void arm_timer();
  void drop_old();
  void drop_closed(ComponentId id);

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  bool is_armed_ = false;
  std::uint64_t tickets_ = 0;
  std::map<ComponentId, Place> places_;
  std::map<PoolKey, std::vector<Idle>> pools_;  // the youngest last
};

}  // namespace hearth

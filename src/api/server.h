// The HTTP server of the daemon: one thread, all routes of docs/api.md, over TCP and a Unix socket.
//
// Contract   bind() takes the addresses: who connects then waits. start() binds what is not bound,
//            before it returns, and then serves until stop(), which ends every
//            connection and joins the thread; callbacks of the Service that come later are dropped.
//            A socket file is removed first only when nobody listens on it. The service outlives
//            the server.
// Errors     bind() and start(): invalid (an address that cannot be; a foreign address without a
//            key), io (the port is taken: names it and the mend), conflict (another daemon on the
//            socket).
// Threads    start and stop from one thread; change_access and change_gateway from any; the rest is
//            its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/units.h"
#include "codec/config.h"
#include "runtime/service.h"

namespace hearth {

struct ServerOptions {
  std::string listen_http = "127.0.0.1:7411";  // empty: no TCP; port 0: a free one
  std::string listen_socket;                   // empty: none
  std::vector<std::string> hosts;              // further names accepted in Host and Origin
  std::string api_key;                         // empty: none
  std::string version = "0.1.0";
  std::size_t connections_limit = connections_max;
  GatewaySettings gateway;
  std::size_t stream_bytes_limit = 256 * 1024;  // unsent events of one slow reader
  Duration request_time_limit{30s};             // for a request to arrive whole
  Duration idle_time_limit{120s};               // of a kept connection
  Duration keep_alive_interval{15s};            // of the event stream
  // Called after the service has read its configuration again, on the server's thread: applies what
  // is not the service's, and returns the keys that wait for a restart ("listen.http").
  std::function<std::vector<std::string>()> on_reloaded;
  // Wall-clock milliseconds of an engine instant; empty: instants are CLOCK_BOOTTIME.
  std::function<std::int64_t(Instant)> unix_ms_of;
};

class Server {
 public:
  Server(Service& service, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Result<> bind();
  [[nodiscard]] Result<> start();
  void stop();

  // Who is let in from now on, in place of what the options said. Without a key, an address that
  // is not loopback keeps the key that it has, and false says so. Any thread, after start().
  [[nodiscard]] bool change_access(std::vector<std::string> hosts, std::string api_key);

  // For the requests from now on. Any thread, after start().
  void change_gateway(GatewaySettings settings);

  // After bind(): "http://127.0.0.1:7411", "" without TCP.
  [[nodiscard]] std::string address() const;
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth

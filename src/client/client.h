// The daemon's API for the command line: finds the daemon and speaks to it.
//
// Contract   the daemon is looked for, in this order: `url`; HEARTH_URL; STATE/address.json, which
//            a daemon writes when it listens ({"http": "http://127.0.0.1:7411", "socket": "/...",
//            "pid": 1}; the socket is preferred); http://127.0.0.1:7411. HEARTH_API_KEY is sent as
//            a bearer token. An answer of any status is a Response; only what is not an answer is
//            an error.
// Errors     unavailable: no daemon there, with the mend; timed_out; io; corrupt.
// Threads    thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/units.h"
#include "net/http_client.h"

namespace hearth {

struct ClientOptions {
  std::string url;        // of --url; empty: look
  std::string state_dir;  // empty: default_state_dir()
  std::string api_key;    // empty: HEARTH_API_KEY
};

struct Response {
  int status = 0;
  std::string body;  // JSON text, but of /metrics
  [[nodiscard]] bool is_ok() const { return status >= 200 && status < 300; }
};

// One server-sent event.
struct StreamEvent {
  std::string id;
  std::string name;  // "decision", "lost"
  std::string data;
};

// HEARTH_STATE, else XDG_STATE_HOME/hearth, else ~/.local/state/hearth; /var/lib/hearth for root.
[[nodiscard]] std::string default_state_dir();

class Client {
 public:
  [[nodiscard]] static Result<Client> find(const ClientOptions& options);

  // `path` begins with a slash; names in it go through url_escape().
  [[nodiscard]] Result<Response> get(const std::string& path, Duration timeout = 30s);
  [[nodiscard]] Result<Response> post(const std::string& path, std::string json,
                                      Duration timeout = 60s);
  [[nodiscard]] Result<Response> put(const std::string& path, std::string json,
                                     Duration timeout = 30s);
  [[nodiscard]] Result<Response> del(const std::string& path, Duration timeout = 30s);

  // Follows /v1/events until the callback returns false, `stop` is asked for, or the daemon ends
  // it.
  using OnEvent = std::function<bool(const StreamEvent& event)>;
  [[nodiscard]] Result<> events(std::optional<std::uint64_t> after, const OnEvent& on_event,
                                std::stop_token stop = {});

  [[nodiscard]] std::string address() const;  // for messages

 private:
  Client(HttpClient http, std::string api_key);
  [[nodiscard]] Result<Response> send(HttpCall call);

  HttpClient http_;
  std::string api_key_;
};

// The `detail` of problem details, or the body itself.
[[nodiscard]] std::string problem_text(const Response& response);

}  // namespace hearth

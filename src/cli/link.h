// The running daemon, as a command speaks to it: JSON in, JSON out.
//
// Contract   an answer below 300 is its JSON; any other is an error whose detail is the daemon's
//            own and whose code follows its status. `unreachable` is set when no daemon answered
//            at all.
// Errors     as docs/api.md; unavailable when nobody is there.
// Threads    thread-compatible.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "cli/json.h"
#include "client/client.h"

namespace hearth {

class Link {
 public:
  explicit Link(Client client) : client_{std::move(client)} {}

  [[nodiscard]] Result<OrderedJson> get(const std::string& path);
  [[nodiscard]] Result<OrderedJson> post(const std::string& path, const OrderedJson& body,
                                         Duration timeout = 60s);
  [[nodiscard]] Result<OrderedJson> del(const std::string& path);

  using OnEvent = Client::OnEvent;
  [[nodiscard]] Result<> events(std::optional<std::uint64_t> after, const OnEvent& on_event);

  [[nodiscard]] bool is_unreachable() const { return is_unreachable_; }
  [[nodiscard]] std::string address() const { return client_.address(); }

 private:
  Result<OrderedJson> read(Result<Response> response);

  Client client_;
  bool is_unreachable_ = false;
};

// An error when one of them names no component, with near names.
[[nodiscard]] Result<> check_components(Link& link, const std::vector<std::string>& names);

// The code whose HTTP status is `status`.
[[nodiscard]] Errc errc_of_status(int status);

}  // namespace hearth

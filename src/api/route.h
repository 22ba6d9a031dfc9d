// The table of routes: what the API is, as data. /openapi.json is written from it.
//
// Contract   each routes/NAME.cpp defines `const RouteGroup route_group_NAME`; the build makes the
//            table. A pattern's {part} stands for one segment, and {rest*} at its end for all that
//            follows. `handle` answers the exchange, now or later.
// Threads    pure data; dispatch() is of the exchange's thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/exchange.h"

namespace hearth {

struct RouteField {
  enum class Type : unsigned char { text, whole, boolean, texts };
  std::string_view name;
  Type type = Type::text;
  std::string_view summary;
  bool is_required = false;
};

// A route whose requests go to a component.
struct RelayRule {
  enum class Source : unsigned char {
    body,   // its `model`, in JSON or in a form
    path,   // the first part of the pattern
    query,  // `model=`
  };
  Source source = Source::body;
  Dialect dialect = Dialect::problem;
  std::string_view signal;  // told at the arrival; "": none
  // Of a question about a component, which wakes nothing: what is answered where nobody can be
  // asked, or who is asked does not know the path. nullptr: the component is loaded and asked.
  std::string (*known)(const DaemonStatus& status, ComponentId id) = nullptr;
  // Of requests that may want no more of a component than that it comes, or goes (Ollama's, without
  // a prompt): what is answered then. nullptr: all are passed on.
  std::string (*done)(std::string_view model, bool is_going, std::int64_t unix_ms) = nullptr;
};

struct Route {
  Method method = Method::get;
  std::string_view pattern;
  std::string_view summary;
  void (*handle)(Exchange& exchange) = nullptr;
  std::span<const RouteField> body = {};
  std::span<const RouteField> query = {};
  std::span<const int> statuses = {};  // beside those that every route has
  std::string_view answer = "application/json";
  bool is_open = false;              // needs no API key
  bool takes_any_type = false;       // a write whose clients do not say that it is JSON
  bool is_change = false;            // a GET that changes something: not for pages of other sites
  const RelayRule* relay = nullptr;  // then `handle` is not called; any method when it is `other`
  Dialect dialect = Dialect::problem;
};

inline constexpr int relay_statuses[] = {400, 404, 409, 413, 502, 503, 504};

// A request that is passed on, in the dialect of its rule.
constexpr Route relayed_post(std::string_view pattern, std::string_view summary,
                             const RelayRule& rule) {
  return {.method = Method::post,
          .pattern = pattern,
          .summary = summary,
          .statuses = relay_statuses,
          .relay = &rule,
          .dialect = rule.dialect};
}

struct RouteGroup {
  std::span<const Route> routes;
};

struct NamedRouteGroup {
  std::string_view name;
  const RouteGroup* group;
};
std::span<const NamedRouteGroup> route_groups();

// Refuses foreign hosts, origins, keys and writes that are not JSON; then finds the route and
// calls it.
void dispatch(Exchange& exchange);

// Asked as soon as the header is there: the route, when the request goes to a component; its
// parameters are set then. None for every other request.
[[nodiscard]] const Route* find_relay(Exchange& exchange);
// Refuses foreign hosts, origins and keys; false when it has answered.
[[nodiscard]] bool let_in(Exchange& exchange);

}  // namespace hearth

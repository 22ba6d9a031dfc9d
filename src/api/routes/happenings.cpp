// What happened: the stream of events and the decisions that are kept.
#include <algorithm>
#include <charconv>
#include <limits>

#include "api/render.h"
#include "api/route.h"
#include "base/limits.h"

namespace hearth {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void events(Exchange& exchange) {
  const ApiRequest& request = exchange.request();
  std::string after = query_value(request.query, "after").value_or("");
  if (!request.last_event_id.empty()) after = request.last_event_id;
  // Without a place to begin at, from now on.
  if (after.empty()) return exchange.stream(std::numeric_limits<std::uint64_t>::max());
  const auto number = parse_number(after);
  if (!number) {
    return exchange.problem(
        Error{Errc::invalid, "Last-Event-ID: expected a sequence number of this stream"});
  }
  exchange.stream(*number);
}

void decisions(Exchange& exchange) {
  const std::string_view query = exchange.request().query;
  const std::string limit_text = query_value(query, "limit").value_or("100");
  const auto limit = parse_number(limit_text);
  if (!limit) {
    return exchange.problem(Error{Errc::invalid, "`limit`: expected a whole number"});
  }
  std::optional<ComponentId> component;
  if (const auto name = query_value(query, "component"); name && !name->empty()) {
    component = component_of(exchange, *name);
    if (!component) return;
  }
  auto then = [component, limit = *limit](Exchange& x, DaemonStatus status) {
    const auto is_wanted = [&](const Decision& decision) {
      return !component || (decision.has_component && decision.component == *component) ||
             (decision.has_other && decision.other == *component);
    };
    const auto matching =
        static_cast<std::uint64_t>(std::ranges::count_if(status.decisions, is_wanted));
    std::uint64_t skipped = matching - std::min<std::uint64_t>(matching, limit);
    const auto is_guess = [&](ComponentId id) { return is_unmeasured(status, id); };
    JsonWriter json;
    json.open().key("decisions").open_list();
    for (const Decision& decision : status.decisions) {
      if (!is_wanted(decision)) continue;
      if (skipped > 0) {
        --skipped;
        continue;
      }
      append_decision(json, decision, unix_ms_of(status, decision.at), x.names(), is_guess);
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  };
  exchange.service().status(exchange.later<DaemonStatus>(std::move(then)));
}

constexpr RouteField event_query[] = {
    {"after", RouteField::Type::whole, "Begin after this sequence number (as Last-Event-ID)."},
};
constexpr RouteField decision_query[] = {
    {"component", RouteField::Type::text, "Only those that name it."},
    {"limit", RouteField::Type::whole, "At most so many, the last; 100."},
};
constexpr int decision_statuses[] = {404};

constexpr Route routes[] = {
    {Method::get,
     "/v1/events",
     "Decisions as they are made.",
     events,
     {},
     event_query,
     {},
     "text/event-stream"},
    {Method::get,
     "/v1/decisions",
     "The last decisions.",
     decisions,
     {},
     decision_query,
     decision_statuses},
};

}  // namespace

extern const RouteGroup route_group_happenings;
const RouteGroup route_group_happenings{.routes = routes};

}  // namespace hearth

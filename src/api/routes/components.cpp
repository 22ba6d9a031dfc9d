// Components: what there is, and loading, unloading and pinning by hand.
#include "api/render.h"
#include "api/route.h"
#include "codec/json.h"

namespace hearth {
namespace {

void list(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().key("components").open_list();
    for (const ComponentRow& row : status.components) {
      if (is_shown(row)) append_component(json, status, row);
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  }));
}

void one(Exchange& exchange) {
  const auto id = component_of(exchange, exchange.parameters[0]);
  if (!id) return;
  auto then = [id = *id](Exchange& x, DaemonStatus status) {
    for (const ComponentRow& row : status.components) {
      if (row.view.id != id) continue;
      JsonWriter json;
      append_component(json, status, row);
      return x.reply_json(200, json.take());
    }
    x.problem(Error{Errc::not_found, "the component is no longer in the configuration"});
  };
  exchange.service().status(exchange.later<DaemonStatus>(std::move(then)));
}

void load(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  const bool waits = fields->choice("wait", {"ready", "none"}).value_or("ready") == "ready";
  const Duration patience = fields->milliseconds("timeout_ms").value_or(30s);
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  const auto id = component_of(exchange, exchange.parameters[0]);
  if (!id) return;
  auto then = [](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted && !answer.reply.is_accepted) return reply_refusal(x, answer);
    JsonWriter json;
    json.open();
    append_components(json, x.names(), answer);
    json.field("wait_ms", answer.reply.wait).close();
    x.reply_json(answer.reply.is_accepted ? 202 : 200, json.take());
  };
  exchange.wait_for(exchange.service().load(*id, waits, patience, exchange.answered(then)));
}

void unload_these(Exchange& exchange, std::vector<ComponentId> ids) {
  auto then = [](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted) return reply_refusal(x, answer);
    JsonWriter json;
    json.open().key("unloaded").open_list();
    for (const action::ReplyComponent& each : answer.reply.components) {
      json.text(x.names().name(each.component));
    }
    json.close_list().field("wait_ms", answer.reply.wait).close();
    x.reply_json(200, json.take());
  };
  exchange.wait_for(exchange.service().unload(std::move(ids), exchange.answered(std::move(then))));
}

// A body that must hold nothing.
bool is_bare(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  auto finished = fields ? fields->finish() : Result<>{std::unexpected(fields.error())};
  if (!finished) exchange.problem(finished.error());
  return finished.has_value();
}

void unload(Exchange& exchange) {
  if (!is_bare(exchange)) return;
  if (const auto id = component_of(exchange, exchange.parameters[0])) unload_these(exchange, {*id});
}

void unload_many(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  const bool is_all = fields->boolean("all").value_or(false);
  const auto names = fields->texts("components").value_or(std::vector<std::string>{});
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  if (is_all != names.empty()) {
    return exchange.problem(
        Error{Errc::invalid, "either `components` names some, or `all` is true"});
  }
  auto ids = components_of(exchange, names);
  if (ids) unload_these(exchange, *std::move(ids));
}

void set_pin(Exchange& exchange, bool is_pinned) {
  if (!is_bare(exchange)) return;
  const auto id = component_of(exchange, exchange.parameters[0]);
  if (!id) return;
  auto then = [id = *id, is_pinned](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted && !answer.reply.is_accepted) return reply_refusal(x, answer);
    JsonWriter json;
    json.open().field("name", x.names().name(id)).field("pinned", is_pinned).close();
    x.reply_json(200, json.take());
  };
  exchange.wait_for(exchange.service().pin(*id, is_pinned, exchange.answered(std::move(then))));
}

void pin(Exchange& exchange) { set_pin(exchange, true); }
void unpin(Exchange& exchange) { set_pin(exchange, false); }

constexpr RouteField load_fields[] = {
    {"wait", RouteField::Type::text, "`ready` (default) or `none`."},
    {"timeout_ms", RouteField::Type::whole, "Patience; 30000."},
};
constexpr RouteField unload_fields[] = {
    {"components", RouteField::Type::texts, "Which."},
    {"all", RouteField::Type::boolean, "All that are neither leased nor core."},
};
constexpr int load_statuses[] = {202, 404, 409, 502, 503, 504};
constexpr int change_statuses[] = {404, 409};
constexpr int one_statuses[] = {404};

constexpr Route routes[] = {
    {Method::get, "/v1/components", "All components.", list},
    {Method::get, "/v1/components/{name}", "One component.", one, {}, {}, one_statuses},
    {Method::post, "/v1/components/{name}/load", "Load it.", load, load_fields, {}, load_statuses},
    {Method::post, "/v1/components/{name}/unload", "Unload it.", unload, {}, {}, change_statuses},
    {Method::post,
     "/v1/components/{name}/pin",
     "Load it and keep it.",
     pin,
     {},
     {},
     change_statuses},
    {Method::post,
     "/v1/components/{name}/unpin",
     "Keep it no longer.",
     unpin,
     {},
     {},
     change_statuses},
    {Method::post,
     "/v1/unload",
     "Unload several or all.",
     unload_many,
     unload_fields,
     {},
     change_statuses},
};

}  // namespace

extern const RouteGroup route_group_components;
const RouteGroup route_group_components{.routes = routes};

}  // namespace hearth

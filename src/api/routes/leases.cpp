// Leases: an application holds components for a while.
#include "api/render.h"
#include "api/route.h"
#include "codec/json.h"

namespace hearth {
namespace {

constexpr Duration lease_max = 7 * 24h;

void take(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  LeaseAsk ask;
  const std::vector<std::string> names = fields->required_texts("components");
  ask.session = fields->text("session", 256).value_or("");
  ask.owner = fields->text("owner", 256).value_or("");
  const auto command = fields->text("command", 32);
  ask.patience = fields->milliseconds("timeout_ms").value_or(30s);
  ask.length = fields->milliseconds("lease_ms", lease_max).value_or(60s);
  ask.is_preemptible = fields->boolean("preemptible").value_or(false);
  if (names.empty()) fields->refuse("components", "names nothing");
  if (ask.owner == keep_alive_owner)
    fields->refuse("owner", "is a name that Hearth keeps for itself");
  if (ask.length <= 0s) fields->refuse("lease_ms", "is 0");
  if (command) {
    const auto id = parse_id(*command, 'c');
    if (!id) fields->refuse("command", "a command's id looks like `c12`");
    ask.command = CommandId{id.value_or(0)};
  }
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  auto ids = components_of(exchange, names);
  if (!ids) return;
  ask.components = *std::move(ids);
  auto then = [](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted) return reply_refusal(x, answer);
    JsonWriter json;
    json.open();
    append_lease(json, x, answer.reply);
    append_components(json, x.names(), answer);
    json.field("wait_ms", answer.reply.wait).close();
    x.reply_json(200, json.take());
  };
  exchange.wait_for(exchange.service().lease(std::move(ask), exchange.answered(then)));
}

std::optional<LeaseId> lease_of(Exchange& exchange) {
  if (const auto id = parse_id(exchange.parameters[0], 'l')) return LeaseId{*id};
  exchange.problem(Error{Errc::not_found, "a lease's id looks like `l12`"});
  return std::nullopt;
}

void renew(Exchange& exchange) {
  const auto id = lease_of(exchange);
  if (!id) return;
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  const Duration length = fields->milliseconds("lease_ms", lease_max).value_or(60s);
  if (length <= 0s) fields->refuse("lease_ms", "is 0; end a lease by DELETE");
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  auto then = [id = *id](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted) return reply_refusal(x, answer);
    if (!answer.reply.lease) answer.reply.lease = id;
    JsonWriter json;
    json.open();
    append_lease(json, x, answer.reply);
    json.close();
    x.reply_json(200, json.take());
  };
  exchange.service().renew(*id, length, exchange.answered(std::move(then)));
}

void release(Exchange& exchange) {
  const auto id = lease_of(exchange);
  if (!id) return;
  auto then = [id = *id](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted) return reply_refusal(x, answer);
    JsonWriter json;
    json.open().id("lease", 'l', id.value).close();
    x.reply_json(200, json.take());
  };
  exchange.service().release(*id, exchange.answered(std::move(then)));
}

void list(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().key("leases").open_list();
    for (const LeaseRow& row : status.leases) {
      json.open();
      json.id("lease", 'l', row.id.value);
      json.field("owner", row.owner).field("session", row.session);
      json.id("command", 'c', row.command.value);
      json.texts("components", row.components);
      json.field("remaining_ms", row.remaining);
      json.field("preemptible", row.is_preemptible);
      json.close();
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  }));
}

constexpr RouteField take_fields[] = {
    {"components", RouteField::Type::texts, "Which; their needs come with them.", true},
    {"session", RouteField::Type::text, "The history it belongs to."},
    {"owner", RouteField::Type::text, "Whose it is, for people."},
    {"command", RouteField::Type::text, "The command whose use this lease proves."},
    {"timeout_ms", RouteField::Type::whole, "Patience; 30000."},
    {"lease_ms", RouteField::Type::whole, "Length; 60000."},
    {"preemptible", RouteField::Type::boolean, "May be revoked for what is worth more."},
};
constexpr RouteField renew_fields[] = {
    {"lease_ms", RouteField::Type::whole, "Length from now; 60000."},
};
constexpr int take_statuses[] = {404, 409, 502, 503, 504};
constexpr int lease_statuses[] = {404};

constexpr Route routes[] = {
    {Method::post, "/v1/leases", "Hold components.", take, take_fields, {}, take_statuses},
    {Method::get, "/v1/leases", "All leases.", list},
    {Method::put, "/v1/leases/{id}", "Hold on longer.", renew, renew_fields, {}, lease_statuses},
    {Method::del, "/v1/leases/{id}", "Let go.", release, {}, {}, lease_statuses},
};

}  // namespace

extern const RouteGroup route_group_leases;
const RouteGroup route_group_leases{.routes = routes};

}  // namespace hearth

// Commands, what they really used, and signals.
#include "api/render.h"
#include "api/route.h"
#include "base/limits.h"
#include "codec/json.h"

namespace hearth {
namespace {

void answer_command(Exchange& exchange, Answer answer) {
  if (!answer.reply.is_granted && !answer.reply.is_accepted) {
    reply_refusal(exchange, answer);
    return;
  }
  const Names& names = exchange.names();
  JsonWriter json;
  json.reserve(512);
  json.open();
  json.id("id", 'c', answer.reply.command.value);
  json.key("intents").open_list();
  for (const Intent& intent : answer.intents) {
    json.open().field("component", names.name(intent.component));
    json.field("probability", intent.probability).close();
  }
  json.close_list();
  append_components(json, names, answer);
  json.field("wait_ms", answer.reply.wait);
  append_lease(json, exchange, answer.reply);
  json.close();
  exchange.reply_json(answer.reply.is_accepted ? 202 : 200, json.take());
}

void command(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  CommandAsk ask;
  ask.text = fields->required_text("text", body_bytes_max);
  ask.session = fields->text("session", 256).value_or("");
  ask.waits = fields->choice("wait", {"ready", "none"}).value_or("ready") == "ready";
  ask.patience = fields->milliseconds("timeout_ms").value_or(30s);
  ask.lease = fields->milliseconds("lease_ms").value_or(60s);
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  if (ask.text.size() > text_bytes_max) {
    return exchange.problem(Error{Errc::too_large, "`text`: longer than 64 KiB"});
  }
  ask.peer = exchange.peer();
  exchange.wait_for(exchange.service().command(std::move(ask), exchange.answered(answer_command)));
}

void used(Exchange& exchange) {
  const auto id = parse_id(exchange.parameters[0], 'c');
  if (!id) {
    return exchange.problem(Error{Errc::not_found, "a command's id looks like `c12`"});
  }
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  const std::vector<std::string> names = fields->required_texts("used");
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  auto ids = components_of(exchange, names);
  if (!ids) return;
  auto then = [id = *id, ids = *ids](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted) return reply_refusal(x, answer);
    JsonWriter json;
    json.open().id("id", 'c', id).key("used").open_list();
    for (const ComponentId each : ids) json.text(x.names().name(each));
    json.close_list().close();
    x.reply_json(200, json.take());
  };
  exchange.wait_for(
      exchange.service().used(CommandId{*id}, *std::move(ids), exchange.answered(std::move(then))));
}

void signal(Exchange& exchange) {
  auto fields = RequestFields::parse(exchange.request().body);
  if (!fields) return exchange.problem(fields.error());
  std::string name = fields->required_text("name", name_length_max);
  std::string session = fields->text("session", 256).value_or(std::string(exchange.peer()));
  if (name.empty()) fields->refuse("name", "is empty");
  if (auto finished = fields->finish(); !finished) return exchange.problem(finished.error());
  JsonWriter json;
  json.open().field("name", name).close();
  exchange.service().signal(std::move(name), std::move(session));
  exchange.reply_json(202, json.take());
}

constexpr RouteField command_fields[] = {
    {"text", RouteField::Type::text, "What the user said.", true},
    {"session", RouteField::Type::text, "The history it belongs to; else the peer's."},
    {"wait", RouteField::Type::text, "`ready` (default) or `none`."},
    {"timeout_ms", RouteField::Type::whole, "Patience; 30000."},
    {"lease_ms", RouteField::Type::whole, "How long the components are held; 60000."},
};
constexpr RouteField used_fields[] = {
    {"used", RouteField::Type::texts, "What it really needed; empty: nothing.", true},
};
constexpr RouteField signal_fields[] = {
    {"name", RouteField::Type::text, "`typing`, `mic_open`, any name.", true},
    {"session", RouteField::Type::text, "The history it belongs to."},
};
constexpr int command_statuses[] = {202, 409, 413, 502, 503, 504};
constexpr int used_statuses[] = {404};

constexpr Route routes[] = {
    {Method::post,
     "/v1/commands",
     "Load what a command needs and hold it.",
     command,
     command_fields,
     {},
     command_statuses},
    {Method::post,
     "/v1/commands/{id}/used",
     "What a command really needed.",
     used,
     used_fields,
     {},
     used_statuses},
    {Method::post, "/v1/signals", "A hint without text.", signal, signal_fields},
};

}  // namespace

extern const RouteGroup route_group_commands;
const RouteGroup route_group_commands{.routes = routes};

}  // namespace hearth

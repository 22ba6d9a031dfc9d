// What tools for llama-swap and for llama.cpp's server ask beside the models themselves. Whatever
// only asks wakes nothing.
#include "api/render.h"
#include "api/route.h"
#include "api/server.h"

namespace hearth {
namespace {

// In llama-swap's words; "" for what it does not list.
std::string_view word_of(State state) {
  switch (state) {
    case State::loading:
    case State::resuming:
      return "starting";
    case State::ready:
      return "ready";
    case State::closing:
    case State::draining:
    case State::unloading:
    case State::hibernating:
      return "stopping";
    case State::unloaded:
    case State::hibernated:
    case State::failed:
      return "";
  }
  return "";
}

void running(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().key("running").open_list();
    for (const ComponentRow& row : status.components) {
      const std::string_view word = word_of(row.view.state);
      if (word.empty()) continue;
      json.open().field("model", row.name).field("state", word);
      json.field("name", row.name).field("description", row.description);
      json.field("proxy", row.endpoint).close();
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  }));
}

void unload_these(Exchange& exchange, std::vector<ComponentId> ids) {
  auto then = [](Exchange& x, Answer answer) {
    if (!answer.reply.is_granted) return reply_refusal(x, answer);
    x.reply({.status = 200, .body = "OK", .content_type = "text/plain"});
  };
  exchange.wait_for(exchange.service().unload(std::move(ids), exchange.answered(std::move(then))));
}

void unload_all(Exchange& exchange) { unload_these(exchange, {}); }

void unload_one(Exchange& exchange) {
  if (const auto id = component_of(exchange, exchange.parameters[0])) unload_these(exchange, {*id});
}

void health(Exchange& exchange) { exchange.reply_json(200, R"({"status":"ok"})"); }

// Of a router: it has no model of its own.
void properties(Exchange& exchange) {
  JsonWriter json;
  json.open().key("default_generation_settings").open().close();
  json.field("total_slots", 0).field("model_path", "").field("chat_template", "");
  json.field("role", "router").field("build_info", "hearth " + exchange.options().version).close();
  exchange.reply_json(200, json.take());
}

// As llama.cpp's router lists its models, with the state of each.
void models(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().field("object", "list").key("data").open_list();
    for (const ComponentRow& row : status.components) {
      if (row.view.is_removed) continue;
      const State state = row.view.state;
      const bool is_coming = state == State::loading || state == State::resuming;
      const std::string_view word = state == State::ready ? "loaded"
                                    : is_coming           ? "loading"
                                                          : "unloaded";
      json.open().field("id", row.name).field("object", "model").field("owned_by", "hearth");
      json.key("status").open().field("value", word);
      if (state == State::failed) json.field("failed", true);
      json.close().close();
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  }));
}

constexpr int unload_statuses[] = {409};
constexpr int unload_one_statuses[] = {404, 409};

constexpr Route routes[] = {
    {Method::get, "/running", "What is loaded, as llama-swap tells it.", running},
    {.method = Method::get,
     .pattern = "/unload",
     .summary = "Unloads all that are neither leased nor core, as llama-swap does.",
     .handle = unload_all,
     .statuses = unload_statuses,
     .answer = "text/plain",
     .is_change = true},
    {.method = Method::post,
     .pattern = "/api/models/unload",
     .summary = "The same.",
     .handle = unload_all,
     .statuses = unload_statuses,
     .answer = "text/plain",
     .takes_any_type = true},
    {.method = Method::post,
     .pattern = "/api/models/unload/{model}",
     .summary = "Unloads one.",
     .handle = unload_one,
     .statuses = unload_one_statuses,
     .answer = "text/plain",
     .takes_any_type = true},
    {.method = Method::get,
     .pattern = "/health",
     .summary = "The daemon answers, as llama.cpp's server tells it.",
     .handle = health,
     .is_open = true},
    {Method::get, "/props", "The properties of llama.cpp's server, as a router.", properties},
    {Method::get, "/models", "The components, as llama.cpp's router lists them.", models},
};

}  // namespace

extern const RouteGroup route_group_llama_swap;
const RouteGroup route_group_llama_swap{.routes = routes};

}  // namespace hearth

// What clients of Ollama ask beside the models themselves. Answered from what is known: nothing is
// loaded, and nobody's idle time begins anew.
#include "api/render.h"
#include "api/route.h"
#include "api/server.h"
#include "codec/json.h"

namespace hearth {
namespace {

// The version of the interface that is spoken: clients compare it.
constexpr std::string_view interface_version = "0.12.0";
// "Never", as Ollama writes it for keep_alive below 0.
constexpr std::string_view never = "2318-01-01T00:00:00Z";

void append_details(JsonWriter& json) {
  json.key("details").open();
  json.field("parent_model", "").field("format", "").field("family", "hearth");
  json.key("families").open_list().close_list();
  json.field("parameter_size", "").field("quantization_level", "").close();
}

// As a client of Ollama would name it: with its tag, where it has one.
const std::string& tagged_name(const ComponentRow& row) {
  for (const std::string& alias : row.aliases) {
    if (alias.find(':') != std::string::npos) return alias;
  }
  return row.name;
}

void append_model(JsonWriter& json, std::string_view name, const ComponentRow& row) {
  json.open().field("name", name).field("model", name);
  json.field("modified_at", "1970-01-01T00:00:00Z");
  const ComponentView& view = row.view;
  json.field("size", view.peak > Bytes{} ? view.peak : view.declared).field("digest", "");
  append_details(json);
  json.close();
}

void tags(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().key("models").open_list();
    for (const ComponentRow& row : status.components) {
      if (row.view.is_removed) continue;
      append_model(json, row.name, row);
      for (const std::string& alias : row.aliases) append_model(json, alias, row);
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  }));
}

void running(Exchange& exchange) {
  exchange.service().status(exchange.later<DaemonStatus>([](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().key("models").open_list();
    for (const ComponentRow& row : status.components) {
      if (row.view.state != State::ready) continue;
      const MemoryFigures& memory = row.memory;
      const std::string& name = tagged_name(row);
      json.open().field("name", name).field("model", name);
      json.field("size", memory.would_free()).field("digest", "");
      append_details(json);
      json.field("expires_at", never).field("size_vram", memory.device).close();
    }
    json.close_list().close();
    x.reply_json(200, json.take());
  }));
}

void version(Exchange& exchange) {
  JsonWriter json;
  json.open().field("version", interface_version).field("hearth", exchange.options().version);
  json.close();
  exchange.reply_json(200, json.take());
}

// `model`, or `name` as older clients say. Other members ask for more or less of an answer that is
// short anyway.
void show(Exchange& exchange) {
  const auto body = parse_json_object(exchange.request().body);
  if (!body) return exchange.problem(body.error());
  std::string name;
  for (const char* key : {"name", "model"}) {
    const auto found = body->find(key);
    if (found != body->end() && found->is_string()) name = found->get<std::string>();
  }
  if (name.empty()) return exchange.problem(Error{Errc::invalid, "`model` is missing"});
  const auto id = component_of(exchange, name);
  if (!id) return;
  auto then = [id = *id](Exchange& x, DaemonStatus status) {
    JsonWriter json;
    json.open().field("modelfile", "").field("parameters", "").field("template", "");
    append_details(json);
    json.key("model_info").open().field("general.architecture", "hearth");
    for (const ComponentRow& row : status.components) {
      if (row.view.id != id) continue;
      json.field("general.name", row.name).field("general.description", row.description);
    }
    json.close().key("capabilities").open_list().text("completion").close_list();
    json.field("modified_at", "1970-01-01T00:00:00Z").close();
    x.reply_json(200, json.take());
  };
  exchange.service().status(exchange.later<DaemonStatus>(std::move(then)));
}

constexpr int show_statuses[] = {404};

constexpr Route routes[] = {
    {.method = Method::get,
     .pattern = "/api/tags",
     .summary = "The components and their aliases, as Ollama lists models.",
     .handle = tags,
     .dialect = Dialect::ollama},
    {.method = Method::get,
     .pattern = "/api/ps",
     .summary = "Those that are loaded.",
     .handle = running,
     .dialect = Dialect::ollama},
    {.method = Method::get,
     .pattern = "/api/version",
     .summary = "The version of Ollama's interface that is spoken.",
     .handle = version,
     .dialect = Dialect::ollama},
    {.method = Method::post,
     .pattern = "/api/show",
     .summary = "What is known of one.",
     .handle = show,
     .statuses = show_statuses,
     .takes_any_type = true,
     .dialect = Dialect::ollama},
};

}  // namespace

extern const RouteGroup route_group_ollama;
const RouteGroup route_group_ollama{.routes = routes};

}  // namespace hearth

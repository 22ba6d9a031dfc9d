// What clients of Ollama ask. Lists are answered from what is known: nothing is loaded for them,
// and nobody's idle time begins anew.
#include "api/render.h"
#include "api/route.h"
#include "api/server.h"
#include "runtime/log.h"

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
std::string tagged_name(const Names& names, const ComponentRow& row) {
  for (std::string& name : names.callable(row.view.id)) {
    if (name.find(':') != std::string::npos) return std::move(name);
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
      for (const std::string& name : x.names().callable(row.view.id)) append_model(json, name, row);
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
      const std::string name = tagged_name(x.names(), row);
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

// What Hearth knows of one, in the shape of Ollama's own answer.
std::string show(const DaemonStatus& status, ComponentId id) {
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
  return json.take();
}

void begin_done(JsonWriter& json, std::string_view model, bool is_going, std::int64_t unix_ms) {
  json.open().field("model", model).field("created_at", log_time(unix_ms));
  json.field("done", true).field("done_reason", is_going ? "unload" : "load");
}

std::string generated(std::string_view model, bool is_going, std::int64_t unix_ms) {
  JsonWriter json;
  begin_done(json, model, is_going, unix_ms);
  json.field("response", "").close();
  return json.take();
}

std::string chatted(std::string_view model, bool is_going, std::int64_t unix_ms) {
  JsonWriter json;
  begin_done(json, model, is_going, unix_ms);
  json.key("message").open().field("role", "assistant").field("content", "").close().close();
  return json.take();
}

// Clients look here whether anybody listens.
void greet(Exchange& exchange) {
  exchange.reply({.status = 200, .body = "Hearth is running", .content_type = "text/plain"});
}

constexpr RelayRule relay_with(std::string (*known)(const DaemonStatus&, ComponentId),
                               std::string (*done)(std::string_view, bool, std::int64_t)) {
  return {.source = RelayRule::Source::body,
          .dialect = Dialect::ollama,
          .signal = {},
          .known = known,
          .done = done};
}
constexpr RelayRule embedding = relay_with(nullptr, nullptr);
constexpr RelayRule generating = relay_with(nullptr, generated);
constexpr RelayRule chatting = relay_with(nullptr, chatted);
constexpr RelayRule showing = relay_with(show, nullptr);

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
    relayed_post("/api/show", "What is known of one: by its server, else by Hearth.", showing),
    relayed_post("/api/chat", "A chat in the shape of Ollama.", chatting),
    relayed_post("/api/generate", "A completion in the shape of Ollama.", generating),
    relayed_post("/api/embed", "Embeddings in the shape of Ollama.", embedding),
    relayed_post("/api/embeddings", "The same, in its older shape.", embedding),
    {.method = Method::get,
     .pattern = "/",
     .summary = "The daemon listens: what command lines of Ollama ask first.",
     .handle = greet,
     .answer = "text/plain",
     .is_open = true},
};

}  // namespace

extern const RouteGroup route_group_ollama;
const RouteGroup route_group_ollama{.routes = routes};

}  // namespace hearth

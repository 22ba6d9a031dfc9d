// What goes to a component: the APIs that applications speak already, and any other by path.
#include "api/json_writer.h"
#include "api/render.h"
#include "api/route.h"

namespace hearth {
namespace {

void append_model(JsonWriter& json, std::string_view id, std::string_view of) {
  json.open().field("id", id).field("object", "model").field("created", 0);
  json.field("owned_by", "hearth");
  // The same entry for those who ask in the other dialect.
  json.field("type", "model").field("display_name", of).field("created_at", "1970-01-01T00:00:00Z");
  json.close();
}

void models(Exchange& exchange) {
  const Names& names = exchange.names();
  JsonWriter json;
  json.open().field("object", "list").key("data").open_list();
  for (const std::string& name : names.all()) {
    const auto id = names.find(name);
    if (!id) continue;
    for (const std::string& called : names.callable(*id)) append_model(json, called, name);
  }
  json.close_list().field("has_more", false).close();
  exchange.reply_json(200, json.take());
}

void model(Exchange& exchange) {
  const std::string name = exchange.parameters[0];
  const auto id = component_of(exchange, name);
  if (!id) return;
  JsonWriter json;
  append_model(json, name, exchange.names().name(*id));
  exchange.reply_json(200, json.take());
}

using Source = RelayRule::Source;
constexpr RelayRule openai{.source = Source::body, .dialect = Dialect::openai, .signal = {}};
constexpr RelayRule heard{
    .source = Source::body, .dialect = Dialect::openai, .signal = "audio_arrived"};
constexpr RelayRule realtime{
    .source = Source::query, .dialect = Dialect::openai, .signal = "audio_arrived"};
constexpr RelayRule anthropic{.source = Source::body, .dialect = Dialect::anthropic, .signal = {}};
constexpr RelayRule upstream{.source = Source::path, .dialect = Dialect::problem, .signal = {}};

constexpr Route routes[] = {
    {.method = Method::get,
     .pattern = "/v1/models",
     .summary = "The components and their aliases, as OpenAI and Anthropic list models.",
     .handle = models,
     .dialect = Dialect::openai},
    {.method = Method::get,
     .pattern = "/v1/models/{model}",
     .summary = "One of them.",
     .handle = model,
     .dialect = Dialect::openai},
    relayed_post("/v1/chat/completions", "A chat, by the component that `model` names.", openai),
    relayed_post("/v1/completions", "A completion.", openai),
    relayed_post("/v1/responses", "A response.", openai),
    relayed_post("/v1/embeddings", "Embeddings.", openai),
    relayed_post("/v1/rerank", "An order of documents.", openai),
    relayed_post("/v1/moderations", "A moderation.", openai),
    relayed_post("/v1/audio/transcriptions", "Speech to text; `model` is a field of the form.",
                 heard),
    relayed_post("/v1/audio/translations", "Speech to English text.", heard),
    relayed_post("/v1/audio/speech", "Text to speech.", openai),
    relayed_post("/v1/images/generations", "An image of a text.", openai),
    relayed_post("/v1/images/edits", "An image changed by a text.", openai),
    relayed_post("/v1/images/variations", "An image like another.", openai),
    {.method = Method::get,
     .pattern = "/v1/realtime",
     .summary = "A WebSocket to the component of `model`.",
     .statuses = relay_statuses,
     .relay = &realtime,
     .dialect = Dialect::openai},
    relayed_post("/v1/messages", "A chat in the shape of Anthropic.", anthropic),
    relayed_post("/v1/messages/count_tokens", "How long a chat is.", anthropic),
    {.method = Method::other,
     .pattern = "/upstream/{name}/{rest*}",
     .summary = "Anything else, by any method, to the component of that name.",
     .statuses = relay_statuses,
     .relay = &upstream},
};

}  // namespace

extern const RouteGroup route_group_gateway;
const RouteGroup route_group_gateway{.routes = routes};

}  // namespace hearth

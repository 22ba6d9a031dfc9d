// The API as OpenAPI 3.1, written from the table of routes.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "api/json_writer.h"
#include "api/route.h"
#include "api/server.h"

namespace hearth {
namespace {

void append_schema(JsonWriter& json, RouteField::Type type) {
  json.key("schema").open();
  switch (type) {
    case RouteField::Type::text:
      json.field("type", "string");
      break;
    case RouteField::Type::whole:
      json.field("type", "integer");
      break;
    case RouteField::Type::boolean:
      json.field("type", "boolean");
      break;
    case RouteField::Type::texts:
      json.field("type", "array").key("items").open().field("type", "string").close();
      break;
  }
  json.close();
}

void append_property(JsonWriter& json, const RouteField& field) {
  json.key(field.name).open();
  switch (field.type) {
    case RouteField::Type::text:
      json.field("type", "string");
      break;
    case RouteField::Type::whole:
      json.field("type", "integer").field("minimum", 0);
      break;
    case RouteField::Type::boolean:
      json.field("type", "boolean");
      break;
    case RouteField::Type::texts:
      json.field("type", "array").key("items").open().field("type", "string").close();
      break;
  }
  json.field("description", field.summary).close();
}

void append_parameters(JsonWriter& json, const Route& route) {
  json.key("parameters").open_list();
  std::string_view rest = route.pattern;
  while (rest.find('{') != std::string_view::npos) {
    rest.remove_prefix(rest.find('{') + 1);
    json.open().field("name", rest.substr(0, rest.find('}'))).field("in", "path");
    json.field("required", true);
    append_schema(json, RouteField::Type::text);
    json.close();
  }
  for (const RouteField& field : route.query) {
    json.open().field("name", field.name).field("in", "query");
    json.field("description", field.summary);
    append_schema(json, field.type);
    json.close();
  }
  json.close_list();
}

void append_body(JsonWriter& json, const Route& route) {
  if (route.method != Method::post && route.method != Method::put) return;
  if (route.relay != nullptr) {
    json.key("requestBody").open().key("content").open().key("*/*").open();
    json.key("schema").open().close().close().close().close();
    return;
  }
  const bool is_needed = std::ranges::any_of(route.body, &RouteField::is_required);
  json.key("requestBody").open().field("required", is_needed);
  json.key("content").open().key("application/json").open();
  json.key("schema").open().field("type", "object").field("additionalProperties", false);
  if (is_needed) {
    json.key("required").open_list();
    for (const RouteField& field : route.body) {
      if (field.is_required) json.text(field.name);
    }
    json.close_list();
  }
  json.key("properties").open();
  for (const RouteField& field : route.body) append_property(json, field);
  json.close().close().close().close().close();
}

void append_responses(JsonWriter& json, const Route& route) {
  std::set<int> statuses(route.statuses.begin(), route.statuses.end());
  const bool is_write = route.method == Method::post || route.method == Method::put;
  for (const int status : {200, 401, 403, 421, 429}) statuses.insert(status);
  if (is_write) statuses.insert({400, 413, 415});
  json.key("responses").open();
  for (const int status : statuses) {
    json.key(std::to_string(status)).open().field("description", reason_phrase(status));
    json.key("content").open();
    json.key(status < 300 ? route.answer : "application/problem+json").open();
    json.key("schema").open();
    if (status >= 300)
      json.field("$ref", "#/components/schemas/Problem");
    else
      json.field("type", route.answer == "application/json" ? "object" : "string");
    json.close().close().close().close();
  }
  json.close();
}

std::string operation_id(const Route& route, Method method) {
  std::string id(name_of(method));
  std::ranges::transform(id, id.begin(), [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  for (const char c : route.pattern) {
    if (c == '/')
      id += '_';
    else if (c != '{' && c != '}' && c != '.' && c != '*')
      id += c;
  }
  return id;
}

void append_operation(JsonWriter& json, const Route& route, Method as) {
  std::string method(name_of(as));
  std::ranges::transform(method, method.begin(),
                         [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  json.key(method).open();
  json.field("operationId", operation_id(route, as)).field("summary", route.summary);
  if (route.is_open) json.key("security").open_list().close_list();
  append_parameters(json, route);
  append_body(json, route);
  append_responses(json, route);
  json.close();
}

void append_paths(JsonWriter& json) {
  std::set<std::string_view> patterns;
  for (const NamedRouteGroup& named : route_groups()) {
    for (const Route& route : named.group->routes) patterns.insert(route.pattern);
  }
  json.key("paths").open();
  for (const std::string_view pattern : patterns) {
    json.key(pattern).open();
    for (const NamedRouteGroup& named : route_groups()) {
      for (const Route& route : named.group->routes) {
        if (route.pattern != pattern) continue;
        if (route.method != Method::other) append_operation(json, route, route.method);
        // Any method; these are the ones that a description of an API can name and a user needs.
        if (route.method != Method::other) continue;
        for (const Method each : {Method::get, Method::post, Method::put, Method::del}) {
          append_operation(json, route, each);
        }
      }
    }
    json.close();
  }
  json.close();
}

void append_components(JsonWriter& json) {
  constexpr std::array texts{"type", "title", "detail", "component", "other", "reason"};
  json.key("components").open().key("securitySchemes").open().key("key").open();
  json.field("type", "http").field("scheme", "bearer").close().close();
  json.key("schemas").open().key("Problem").open().field("type", "object");
  json.texts("required", std::array{"type", "title", "status", "detail"});
  json.key("properties").open();
  json.key("status").open().field("type", "integer").close();
  for (const char* name : texts) json.key(name).open().field("type", "string").close();
  json.key("near").open().field("type", "array").key("items").open().field("type", "string");
  json.close().close().close().close().close().close();
}

void openapi(Exchange& exchange) {
  JsonWriter json;
  json.open().field("openapi", "3.1.0").key("info").open().field("title", "Hearth");
  json.field("description", "Keeps heavy components warm inside a memory budget.");
  json.field("version", exchange.options().version).close();
  json.key("security").open_list().open().close().open();
  json.key("key").open_list().close_list().close().close_list();
  append_paths(json);
  append_components(json);
  json.close();
  exchange.reply_json(200, json.take());
}

constexpr Route routes[] = {
    {Method::get, "/openapi.json", "This API.", openapi},
};

}  // namespace

extern const RouteGroup route_group_openapi;
const RouteGroup route_group_openapi{.routes = routes};

}  // namespace hearth

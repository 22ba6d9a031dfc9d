#include "api/dialect.h"

#include "api/json_writer.h"

namespace hearth {
namespace {

std::string_view openai_type(const Problem& problem) {
  if (problem.status == 401) return "authentication_error";
  if (problem.status == 403) return "permission_error";
  if (problem.status == 429) return "rate_limit_error";
  return problem.status < 500 ? "invalid_request_error" : "server_error";
}

std::string_view anthropic_type(const Problem& problem) {
  switch (problem.status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return problem.status < 500 ? "invalid_request_error" : "api_error";
  }
}

void append_problem(JsonWriter& json, const Problem& problem) {
  const std::string_view code = name_of(problem.code);
  json.field("type", "urn:hearth:problem:" + std::string(code));
  json.field("title", problem.title.empty() ? code : problem.title);
  json.field("status", problem.status);
  json.field("detail", problem.detail);
  if (!problem.component.empty()) json.field("component", problem.component);
  if (!problem.other.empty()) json.field("other", problem.other);
  if (!problem.reason.empty()) json.field("reason", problem.reason);
  if (!problem.near.empty()) json.texts("near", problem.near);
}

void append_openai(JsonWriter& json, const Problem& problem) {
  const bool is_about_model = problem.status == 404 && !problem.component.empty();
  json.key("error").open();
  json.field("message", problem.detail).field("type", openai_type(problem));
  json.text_or_null("param", is_about_model ? "model" : "");
  // Clients look for this very word when a model is not there.
  json.field("code", is_about_model ? std::string_view{"model_not_found"} : name_of(problem.code));
  if (!problem.reason.empty()) json.field("reason", problem.reason);
  if (!problem.near.empty()) json.texts("near", problem.near);
  json.close();
}

void append_anthropic(JsonWriter& json, const Problem& problem) {
  json.field("type", "error").key("error").open();
  json.field("type", anthropic_type(problem)).field("message", problem.detail).close();
}

}  // namespace

std::string error_body(Dialect dialect, const Problem& problem) {
  JsonWriter json;
  json.open();
  switch (dialect) {
    case Dialect::problem:
      append_problem(json, problem);
      break;
    case Dialect::openai:
      append_openai(json, problem);
      break;
    case Dialect::anthropic:
      append_anthropic(json, problem);
      break;
    case Dialect::ollama:
      json.field("error", problem.detail);
      break;
  }
  json.close();
  return json.take();
}

std::string_view error_content_type(Dialect dialect) {
  return dialect == Dialect::problem ? "application/problem+json" : "application/json";
}

std::string error_event(Dialect dialect, const Problem& problem) {
  const std::string body = error_body(dialect, problem);
  if (dialect == Dialect::ollama) return body + "\n";
  const std::string_view name = dialect == Dialect::anthropic ? "event: error\n" : "";
  return std::string(name) + "data: " + body + "\n\n";
}

}  // namespace hearth

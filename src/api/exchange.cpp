#include "api/exchange.h"

#include "api/json_writer.h"
#include "api/server.h"
#include "runtime/clock.h"

namespace hearth {

const Names& Exchange::names() {
  if (!names_) names_ = service_.names();
  return *names_;
}

std::int64_t Exchange::unix_ms_of(Instant at) const {
  if (options_.unix_ms_of) return options_.unix_ms_of(at);
  return unix_ms_now() + (at - boot_now()).count() / 1'000'000;
}

void Exchange::problem(const Error& error) {
  Problem told;
  told.status = http_status(error.code);
  told.code = error.code;
  told.detail = error.detail;
  problem(std::move(told));
}

void Exchange::problem(Problem problem) {
  const std::string_view code = name_of(problem.code);
  JsonWriter json;
  json.open();
  json.field("type", "urn:hearth:problem:" + std::string(code));
  json.field("title", problem.title.empty() ? code : problem.title);
  json.field("status", problem.status);
  json.field("detail", problem.detail);
  if (!problem.component.empty()) json.field("component", problem.component);
  if (!problem.other.empty()) json.field("other", problem.other);
  if (!problem.reason.empty()) json.field("reason", problem.reason);
  if (!problem.near.empty()) json.texts("near", problem.near);
  json.close();
  ApiResponse response{.status = problem.status,
                       .body = json.take(),
                       .content_type = "application/problem+json",
                       .headers = std::move(problem.headers)};
  const bool is_later = problem.status == 503 || problem.status == 429;
  if (is_later) response.headers += "Retry-After: 1\r\n";
  reply(std::move(response));
}

}  // namespace hearth

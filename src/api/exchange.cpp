#include "api/exchange.h"

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
  ApiResponse response{.status = problem.status,
                       .body = error_body(dialect, problem),
                       .content_type = error_content_type(dialect),
                       .headers = std::move(problem.headers)};
  const bool is_later = problem.status == 503 || problem.status == 429;
  if (is_later) response.headers += "Retry-After: 1\r\n";
  reply(std::move(response));
}

}  // namespace hearth

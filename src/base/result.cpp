#include "base/result.h"

#include <array>

namespace hearth {
namespace {

struct Row {
  std::string_view name;
  int http;
  int exit;
};

constexpr std::array<Row, errc_count> rows{{
    {"invalid", 400, 2},
    {"not_found", 404, 1},
    {"conflict", 409, 1},
    {"over_budget", 503, 1},
    {"cycle", 400, 3},
    {"unavailable", 503, 1},
    {"timed_out", 504, 5},
    {"too_large", 413, 1},
    {"exhausted", 429, 1},
    {"denied", 403, 1},
    {"io", 500, 1},
    {"corrupt", 500, 1},
    {"failed", 502, 1},
}};

const Row& row_of(Errc code) { return rows.at(static_cast<std::size_t>(code)); }

}  // namespace

std::string_view name_of(Errc code) { return row_of(code).name; }
int http_status(Errc code) { return row_of(code).http; }
int exit_code(Errc code) { return row_of(code).exit; }

}  // namespace hearth

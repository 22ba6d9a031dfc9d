// docs/errors.md against base/result.h.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>

#include "base/result.h"

namespace hearth {
namespace {

struct DocumentedError {
  int http = 0;
  int exit = 0;
};

std::map<std::string, DocumentedError> documented() {
  std::map<std::string, DocumentedError> rows;
  std::ifstream stream{std::string{HEARTH_SOURCE_DIR} + "/docs/errors.md"};
  const std::regex row{R"(\| `([a-z_]+)` \| (\d+) \| (\d+) \| .+ \|)"};
  std::string line;
  std::smatch match;
  while (std::getline(stream, line)) {
    if (!std::regex_match(line, match, row)) continue;
    EXPECT_FALSE(rows.contains(match[1])) << line;
    rows[match[1]] = {std::stoi(match[2]), std::stoi(match[3])};
  }
  return rows;
}

TEST(ErrorsDocument, HoldsEveryCodeWithItsStatusAndItsExitCode) {
  const auto rows = documented();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(errc_count));
  for (int raw = 0; raw < errc_count; ++raw) {
    const auto code = static_cast<Errc>(raw);
    const auto found = rows.find(std::string{name_of(code)});
    ASSERT_NE(found, rows.end()) << name_of(code);
    EXPECT_EQ(found->second.http, http_status(code)) << name_of(code);
    EXPECT_EQ(found->second.exit, exit_code(code)) << name_of(code);
  }
}

}  // namespace
}  // namespace hearth

// The shapes in which the APIs that Hearth speaks tell an error.
//
// Contract   error_body() says the same in each: what is wrong and how to mend it. `problem` is RFC
//            9457; the others are what the clients of that API read and raise.
// Threads    pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

enum class Dialect : unsigned char { problem, openai, anthropic, ollama };

// A refusal with members beside the usual ones.
struct Problem {
  int status = 500;
  Errc code = Errc::failed;
  std::string_view title;  // "": the code's name
  std::string detail;
  std::string_view component;
  std::string_view other;
  std::string_view reason;
  std::vector<std::string> near;
  std::string headers;  // of the answer, each with its line end
};

[[nodiscard]] std::string error_body(Dialect dialect, const Problem& problem);
[[nodiscard]] std::string_view error_content_type(Dialect dialect);
// The same as one event of a stream that has begun: "data: {...}\n\n".
[[nodiscard]] std::string error_event(Dialect dialect, const Problem& problem);

}  // namespace hearth

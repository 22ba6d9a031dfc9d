// Errors of the world, as values.
//
// Contract   a function that can fail for reasons outside of this program returns Result<T>. The
//            code says what a caller can do next; the detail is one sentence for a person: the
//            thing, what is wrong with it, and the mend. Details are never compared.
// Errors     every code is a row of docs/errors.md: HTTP status and exit code.
// Threads    pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace hearth {

enum class Errc : unsigned char {
  invalid,      // the input is malformed
  not_found,    // no such component, lease, command
  conflict,     // refused because of what is there now: a rival, a pin, a lease
  over_budget,  // can never fit, or does not fit now
  cycle,        // needs go in a circle
  unavailable,  // not now; later perhaps
  timed_out,
  too_large,  // body, header, text
  exhausted,  // a queue or a connection limit
  denied,     // host, origin, key, permission
  io,         // the operating system said no
  corrupt,    // stored bytes fail their checks
  failed,     // a component did not load
};
inline constexpr int errc_count = 13;

[[nodiscard]] std::string_view name_of(Errc code);
// The HTTP status and the exit code of a command line that meet this error (docs/errors.md).
[[nodiscard]] int http_status(Errc code);
[[nodiscard]] int exit_code(Errc code);

struct [[nodiscard]] Error {
  Errc code = Errc::failed;
  std::string detail;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string detail) {
  return std::unexpected<Error>{Error{code, std::move(detail)}};
}

}  // namespace hearth

// The value of a Result, or a return of its error from the function around.
#define HEARTH_TRY(expression)                                                    \
  __extension__({                                                                 \
    auto hearth_result = (expression);                                            \
    if (!hearth_result) return std::unexpected(std::move(hearth_result).error()); \
    ::hearth::detail::take(std::move(hearth_result));                             \
  })

namespace hearth::detail {
template <class T>
T take(std::expected<T, Error>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
}  // namespace hearth::detail

// Where the body of an HTTP/1.1 message ends, found while its bytes pass through untouched.
//
// Contract   take() looks at bytes from the front of what has arrived and says how many of them
//            belong to the body, and which run of those is payload (the rest is the framing of
//            chunks). The caller passes on what was consumed, and offers the rest again with more
//            behind it. Total: any bytes, cut anywhere, give the same end or the same refusal.
// Domain     RFC 9112, 6 and 7, strictly: a line ends with CR LF, a size has 1 to 16 hex digits,
//            size lines are at most 4 KiB and trailers 16 KiB. Nothing lenient, because what two
//            readers understand differently can smuggle a request.
// Threads    thread-compatible.  Cost  a pass over size lines; payload is skipped, not read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hearth {

struct BodyFraming {
  enum class Kind : unsigned char { none, length, chunked, until_end };
  Kind kind = Kind::none;
  std::uint64_t length = 0;
};

class BodyScanner {
 public:
  explicit BodyScanner(BodyFraming framing = {});

  struct Piece {
    std::size_t consumed = 0;  // of the bytes; 0 when done, bad, or when there were none
    std::string_view payload;  // within the consumed ones
  };
  [[nodiscard]] Piece take(std::string_view bytes);

  [[nodiscard]] bool is_done() const { return state_ == State::done; }
  [[nodiscard]] bool is_bad() const { return state_ == State::bad; }
  // A message of until_end ends with its connection; any other breaks there.
  [[nodiscard]] bool may_end() const { return is_done() || kind_ == BodyFraming::Kind::until_end; }
  // Nothing of a chunk is open: another chunk could be put in here.
  [[nodiscard]] bool is_between_chunks() const {
    return kind_ == BodyFraming::Kind::chunked && state_ == State::size && line_bytes_ == 0;
  }

 private:
  enum class State : unsigned char {
    payload,
    size,          // the digits
    extension,     // after them, up to CR
    size_end,      // LF of the size line
    chunk_end_cr,  // CR after a chunk
    chunk_end_lf,
    trailer_start,  // at the begin of a trailer line
    trailer,
    trailer_end,  // LF of a trailer line
    last_lf,      // LF of the empty line that ends it all
    done,
    bad,
  };
  void step(char c);

  BodyFraming::Kind kind_;
  State state_ = State::done;
  std::uint64_t left_ = 0;      // of the body or the chunk
  std::size_t line_bytes_ = 0;  // of the size line; of all trailers
  unsigned digits_ = 0;
};

}  // namespace hearth

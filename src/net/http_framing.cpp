#include "net/http_framing.h"

#include <algorithm>

namespace hearth {
namespace {

constexpr std::size_t size_line_bytes_max = 4096;
constexpr std::size_t trailer_bytes_max = 16 * 1024;
constexpr unsigned digits_max = 16;

// 16 for what is no hex digit.
unsigned hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 16;
}

}  // namespace

BodyScanner::BodyScanner(BodyFraming framing) : kind_(framing.kind) {
  switch (kind_) {
    case BodyFraming::Kind::none:
      break;
    case BodyFraming::Kind::length:
      left_ = framing.length;
      state_ = left_ > 0 ? State::payload : State::done;
      break;
    case BodyFraming::Kind::chunked:
      state_ = State::size;
      break;
    case BodyFraming::Kind::until_end:
      state_ = State::payload;
      break;
  }
}

BodyScanner::Piece BodyScanner::take(std::string_view bytes) {
  if (state_ == State::payload) {
    if (kind_ == BodyFraming::Kind::until_end) return {bytes.size(), bytes};
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= size;
    if (left_ == 0) {
      state_ = kind_ == BodyFraming::Kind::chunked ? State::chunk_end_cr : State::done;
    }
    return {size, bytes.substr(0, size)};
  }
  std::size_t consumed = 0;
  while (consumed < bytes.size() && state_ != State::payload && !is_done() && !is_bad()) {
    step(bytes[consumed]);
    if (!is_bad()) ++consumed;
  }
  return {consumed, {}};
}

void BodyScanner::step(char c) {
  const auto next = [&](bool is_right, State state) { state_ = is_right ? state : State::bad; };
  switch (state_) {
    case State::size: {
      const unsigned value = hex_value(c);
      ++line_bytes_;
      if (value < 16) {
        left_ = left_ * 16 + value;
        next(++digits_ <= digits_max, State::size);
      } else if (c == '\r') {
        next(digits_ > 0, State::size_end);
      } else {
        next(digits_ > 0 && (c == ';' || c == ' ' || c == '\t'), State::extension);
      }
      return;
    }
    case State::extension:
      if (c == '\r') {
        state_ = State::size_end;
      } else {
        next(c != '\n' && ++line_bytes_ <= size_line_bytes_max, State::extension);
      }
      return;
    case State::size_end:
      line_bytes_ = 0;
      digits_ = 0;
      next(c == '\n', left_ > 0 ? State::payload : State::trailer_start);
      return;
    case State::chunk_end_cr:
      return next(c == '\r', State::chunk_end_lf);
    case State::chunk_end_lf:
      return next(c == '\n', State::size);
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::last_lf;
      } else {
        next(c != '\n' && ++line_bytes_ <= trailer_bytes_max, State::trailer);
      }
      return;
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_end;
      } else {
        next(c != '\n' && ++line_bytes_ <= trailer_bytes_max, State::trailer);
      }
      return;
    case State::trailer_end:
      return next(c == '\n', State::trailer_start);
    case State::last_lf:
      return next(c == '\n', State::done);
    case State::payload:
    case State::done:
    case State::bad:
      return;
  }
}

}  // namespace hearth

// Bytes of a connection to requests, one after the other, within limits.
//
// Contract   feed() takes bytes from the front of what has arrived and says how many it took; what
//            it did not take is offered again with more behind it. Total: any bytes give complete,
//            more or refused. After complete, request() is good until reset(); after refused only
//            reset() of another connection helps.
// Errors     refused: status 400, 413 (body_bytes_max), 431 (header_bytes_max), and a detail.
// Threads    thread-compatible.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "api/http.h"

namespace hearth {

class RequestReader {
 public:
  enum class State : unsigned char { more, complete, refused };
  struct Fed {
    State state = State::more;
    std::size_t consumed = 0;
  };

  RequestReader();
  ~RequestReader();

  [[nodiscard]] Fed feed(std::string_view bytes);
  [[nodiscard]] const ApiRequest& request() const { return request_; }
  // True once a request: its header is there, its body is not, and the client waits to be told.
  [[nodiscard]] bool wants_continue();
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }
  void reset();

 private:
  struct Parser;
  Fed refused(int status, std::string detail);
  void read_header();

  std::unique_ptr<Parser> parser_;
  ApiRequest request_;
  bool has_begun_ = false;
  bool was_told_ = false;
  int status_ = 0;
  std::string detail_;
};

}  // namespace hearth

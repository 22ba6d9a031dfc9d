// Bytes of a connection to requests, one after the other, within limits.
//
// Contract   feed() takes bytes from the front of what has arrived and says how many it took; what
//            it did not take is offered again with more behind it. Total: any bytes give head once,
//            complete, more or refused. After head, request() is good but for its body, which
//            feed() goes on with unless somebody else takes it from there. After complete,
//            request() is good until reset(); after refused only reset() of another connection
//            helps.
// Errors     refused: status 400 (also two lengths, a length beside chunks, a transfer coding other
//            than chunked: what two readers could understand differently), 413 (body_bytes_max),
//            431 (header_bytes_max), and a detail.
// Threads    thread-compatible.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http.h"
#include "net/http_framing.h"

namespace hearth {

using HeaderList = std::vector<std::pair<std::string_view, std::string_view>>;

class RequestReader {
 public:
  enum class State : unsigned char { more, head, complete, refused };
  struct Fed {
    State state = State::more;
    std::size_t consumed = 0;
  };

  RequestReader();
  ~RequestReader();

  [[nodiscard]] Fed feed(std::string_view bytes);
  [[nodiscard]] const ApiRequest& request() const { return request_; }
  // After head: as they were sent; how the body ends; the method and the target as they are.
  [[nodiscard]] HeaderList headers() const;
  [[nodiscard]] BodyFraming framing() const { return framing_; }
  [[nodiscard]] std::string_view method() const;
  [[nodiscard]] std::string_view target() const;
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
  // A refusal in words; "" when the length of the body is clear.
  [[nodiscard]] std::string read_framing();

  std::unique_ptr<Parser> parser_;
  ApiRequest request_;
  BodyFraming framing_;
  bool has_begun_ = false;
  bool is_head_told_ = false;
  bool was_told_ = false;
  int status_ = 0;
  std::string detail_;
};

}  // namespace hearth

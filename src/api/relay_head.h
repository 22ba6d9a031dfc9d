// What is said to a component in a client's name, and to the client in the component's.
//
// Contract   headers that are about one connection alone do not pass (RFC 9110, 7.6.1), nor does a
//            key that is Hearth's own; everything else does, as it was. An upgrade passes when both
//            sides say so.
// Threads    pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request_reader.h"
#include "net/http_client.h"
#include "net/http_framing.h"
#include "net/http_head.h"

namespace hearth {

struct RelayRequest {
  std::string method;
  std::string target;  // the path and query that the component is asked for
  std::string fields;  // the header lines that pass
  BodyFraming framing;
  bool is_upgrade = false;
};
// The header lines that pass, each with its line end. `own_key` is not passed on.
[[nodiscard]] std::string passing_fields(const HeaderList& headers, std::string_view own_key,
                                         bool is_upgrade);
[[nodiscard]] bool asks_for_upgrade(const HeaderList& headers);
[[nodiscard]] std::string request_head(const RelayRequest& request, const HttpAddress& component);

enum class BodyPass : unsigned char {
  raw,      // as it comes, framing and all
  payload,  // without chunks, for a client of HTTP/1.0: its end is the connection's
  chunks,   // each piece of payload as a chunk of ours
};
struct ResponseAs {
  std::string_view own_fields;  // X-Hearth-...: each with its line end
  BodyFraming framing;
  BodyPass pass = BodyPass::raw;
  bool is_kept = true;
};
[[nodiscard]] std::string response_head(const ResponseHead& head, const ResponseAs& as);
void append_chunk(std::string& out, std::string_view payload);

}  // namespace hearth

// Sockets that listen.
//
// Contract   listen_tcp() takes "ADDRESS:PORT" with a numeric address or localhost; port 0 is a
//            free one. listen_unix() makes the socket with mode 0600 before anyone can connect; a
//            file left over by a daemon that is gone is removed, one that somebody listens on is
//            not.
// Errors     invalid, conflict (another daemon), io (taken, not allowed): each names address and
//            mend.
// Threads    pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

struct Listening {
  int fd = -1;
  std::string host;  // as written, without brackets
  std::uint16_t port = 0;
  bool is_loopback = false;
};

[[nodiscard]] Result<Listening> listen_tcp(std::string_view address);
[[nodiscard]] Result<Listening> listen_unix(const std::string& path);

}  // namespace hearth

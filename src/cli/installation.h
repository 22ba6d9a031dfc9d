// What of this installation `hearth doctor` looks at: configuration, state folder, places to
// listen.
//
// Contract   nothing is made or changed but for a socket that listens for a moment where the
//            daemon would. What a broken configuration still says of `state` and `listen` is used.
//            No key is ever sent: who answers is told by the socket of the state folder, or by the
//            form of a refusal.
// Threads    one thread.
// Cost       up to 2 s for each place at which something takes the connection and does not answer.
#pragma once

#include "cli/console.h"
#include "platform/facilities.h"

namespace hearth {

struct Installation {
  InstallationFacts facts;
  Wishes wishes;
};

[[nodiscard]] Installation read_installation(const Console& console);

}  // namespace hearth

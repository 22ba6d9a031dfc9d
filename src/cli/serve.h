// The daemon, put together: configuration, drivers, store, classifier, engine, server.
//
// Contract   serve() returns when the daemon has ended. SIGTERM and SIGINT drain (a second one
//            ends at once), SIGHUP reloads
//            (cli/reloading.h). Its addresses go to `out` and into
//            STATE/address.json, which is removed at the end; a service manager is told READY=1
//            and STOPPING=1.
// Errors     conflict: another daemon has the state folder; io, invalid: it cannot listen.
// Threads    called once, on the main thread, before any other thread is begun.
#pragma once

#include <iosfwd>
#include <string>

#include "base/result.h"
#include "codec/config.h"

namespace hearth {

struct ServeOptions {
  Config config;            // state_dir is set, absolute
  Environment environment;  // for reloads
};

[[nodiscard]] Result<int> serve(ServeOptions options, std::ostream& out);

}  // namespace hearth

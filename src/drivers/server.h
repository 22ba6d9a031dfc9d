// The `http` driver: models of servers that run by themselves.
//
// Contract   as ports/driver.h. load() asks the server what it has, tells it to load, and waits
//            until it says that it has; unload() the other way round. A server says what a model
//            takes, or nobody does. Who is loaded is looked at every `look_period`: a model that
//            is gone ends its Instance; one that would expire by itself is told to stay; one that
//            is there though nobody asked here is told of by observe(), once and then every
//            `stranger_period` as long as it is there. A server is asked once a look, however many
//            of its models are loaded. What was loaded is written below run_dir, so that a daemon
//            that comes after a crash adopts it, or unloads it; servers are asked side by side
//            then.
// Domain     a server on this machine or another, without TLS.
// Errors     unavailable: nobody listens at its address; not_found: it does not know the model;
//            failed: it refused, with what it said; timed_out.
// Threads    as ports/driver.h; one thread of its own, which sleeps while there is nothing to see.
#pragma once

#include <memory>

#include "ports/driver.h"

namespace hearth {

struct ServerDriverOptions {
  Duration look_period{2s};      // while something of it is loaded
  Duration far_look_period{5s};  // while something is configured
  Duration stranger_period{60s};
};

[[nodiscard]] std::unique_ptr<Driver> make_server_driver(ServerDriverOptions options = {});

}  // namespace hearth

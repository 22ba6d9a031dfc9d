// What `hearth init` finds on this machine, and the first hearth.yaml made of it.
//
// Contract   discover() looks for programs on PATH and for servers that listen on their usual
//            loopback ports. first_config() is a valid configuration whatever was found; what
//            cannot be started without the user's word (a model file) stands there as a comment
//            to complete.
// Threads    pure but for the machine that is looked at.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/config.h"

namespace hearth {

struct Candidate {
  std::string_view name;  // of the component
  std::string_view program;
  int port = 0;             // where it listens by itself; 0: nowhere
  bool is_complete = true;  // can be started as it is; otherwise it stands as a comment
  std::string_view lines;   // of the component's section, "key: value" a line
};

struct Finding {
  const Candidate* candidate = nullptr;
  std::string path;  // of the program; empty: not installed
  bool is_listening = false;
};

// True when something listens on this loopback port.
using Listening = std::function<bool(int port)>;

[[nodiscard]] std::vector<Finding> discover(const Environment& environment,
                                            const Listening& is_listening);
struct FirstConfigOptions {
  bool is_root = false;  // who will run it: a browser as root needs a flag of its own
};
[[nodiscard]] std::string first_config(const std::vector<Finding>& findings,
                                       const FirstConfigOptions& options = {});

}  // namespace hearth

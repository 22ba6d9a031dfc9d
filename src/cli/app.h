// The command line: arguments in, an exit code out.
//
// Contract   0 done, 1 refused or failed, 2 usage, 3 configuration, 4 no daemon, 5 timed out.
//            What was asked for goes to Streams::out; errors, each with its mend, to
//            Streams::err.
// Threads    one call at a time.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {

struct CommandTree {
  CLI::App app;
  CommonOptions common;
  struct Entry {
    CLI::App* app = nullptr;
    CommandRun run;
  };
  std::vector<Entry> entries;  // one a command, in commands()' order

  CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;
};

// `arguments` without the program's name.
[[nodiscard]] int run_command_line(const std::vector<std::string>& arguments, Streams streams);

[[nodiscard]] std::string_view hearth_version();

}  // namespace hearth

// One command of `hearth`: a file in commands/, found by its stem.
//
// Contract   declare() adds the command's own arguments and returns what runs it; it is
//            called for every command at each start, so it does nothing else. What runs it
//            returns the exit code, or an error whose code says the exit code (docs/errors.md).
// Threads    one thread.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "cli/arguments.h"
#include "cli/console.h"

namespace hearth {

using CommandRun = std::move_only_function<Result<int>(Console&)>;

// Under which heading `hearth --help` shows it.
enum class CommandGroup : unsigned char { daemon, components, insight, configuration, tools };

struct Command {
  std::string_view summary;
  CommandGroup group = CommandGroup::tools;
  bool is_client = false;  // asks a daemon: takes --url
  bool is_json = true;     // takes --json
  CommandRun (*declare)(Arguments& arguments) = nullptr;
};

struct NamedCommand {
  std::string_view name;
  const Command* command;
};

// Every command under commands/, in alphabetical order.
[[nodiscard]] std::span<const NamedCommand> commands();

}  // namespace hearth

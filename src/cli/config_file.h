// A configuration file, read and checked against this machine.
//
// Contract   check_config() adds to what parse_config() tells what only the machine can: programs
//            and files that are not there, and a budget or a reserve above the machine (warnings),
//            and a budget that is a share of memory and too small (errors). load_config() gives
//            the configuration, or every error, one line each. The api_key is never shown.
// Threads    pure but for the machine that is looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/json.h"
#include "codec/config.h"

namespace hearth {

struct CheckedConfig {
  std::optional<Config> config;         // none when a problem is an error
  std::vector<ConfigProblem> problems;  // in order of place
};

[[nodiscard]] CheckedConfig check_config(std::string_view text, const std::string& path,
                                         const Environment& environment);
[[nodiscard]] Result<Config> load_config(const std::string& path, const Environment& environment);

// Everything as it will be used, defaults filled in.
[[nodiscard]] OrderedJson config_json(const Config& config, const std::string& state_dir);
[[nodiscard]] OrderedJson problem_json(const ConfigProblem& problem);

}  // namespace hearth

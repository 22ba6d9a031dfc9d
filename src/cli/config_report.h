// What `hearth config` says about a configuration beyond what reading it tells.
//
// Contract   missing_programs() warns of commands whose program is not there; macros and shell lines are
//            left alone, for only a start can tell. The api_key is never shown.
// Threads    pure but for the file system.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "codec/config.h"

namespace hearth {

[[nodiscard]] std::vector<ConfigProblem> missing_programs(const Config& config,
                                                          std::string_view text,
                                                          const Environment& environment);

// Everything as it will be used, defaults filled in.
[[nodiscard]] OrderedJson config_json(const Config& config, const std::string& state_dir);

[[nodiscard]] OrderedJson problem_json(const ConfigProblem& problem);

}  // namespace hearth

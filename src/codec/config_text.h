// A configuration as text again, and the schema of its file.
//
// Contract   to_yaml() prints what is in effect: every setting, every component, macros of the
//            environment already expanded. Secrets (api_key, values of `env` whose name holds KEY,
//            TOKEN, SECRET or PASSWORD) are masked as ***. parse_config() of it gives an equal
//            Config for one without secrets.
//            json_schema() is the JSON Schema (2020-12) of hearth.yaml, made of the tables of keys.
// Threads    pure.
#pragma once

#include <string>
#include <string_view>

#include "codec/config.h"

namespace hearth {

[[nodiscard]] std::string to_yaml(const Config& config);
[[nodiscard]] std::string json_schema();
// A Markdown reference of all keys: docs/config.md holds it.
[[nodiscard]] std::string config_reference();
[[nodiscard]] bool is_secret_name(std::string_view name);

}  // namespace hearth

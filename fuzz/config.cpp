// hearth.yaml: any bytes give a configuration or errors with places, and what was read can be
// printed and read again.
#include <cstdlib>
#include <string_view>

#include "codec/config_text.h"

namespace {

std::optional<std::string> environment(const std::string& name) {
  return name.size() % 2 == 0 ? std::optional<std::string>{"${" + name} : std::nullopt;
}

bool has_secret(const hearth::Config& config) {
  if (!config.api_key.empty()) return true;
  for (const hearth::Launch& launch : config.launches) {
    for (const auto& [name, value] : launch.env) {
      if (hearth::is_secret_name(name)) return true;
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const hearth::ParsedConfig parsed = hearth::parse_config(text, "f", environment);
  (void)hearth::read_leniently(text, "f", environment);
  bool has_error = false;
  for (const hearth::ConfigProblem& problem : parsed.problems) {
    if (hearth::to_text(problem, "f").find('\n') != std::string::npos) std::abort();
    has_error = has_error || problem.is_error;
  }
  if (has_error == parsed.config.has_value()) std::abort();
  if (!parsed.config) return 0;
  (void)hearth::check_budget(parsed, hearth::Bytes{1 << 20});
  if (has_secret(*parsed.config)) return 0;
  const std::string printed = hearth::to_yaml(*parsed.config);
  const hearth::ParsedConfig again = hearth::parse_config(printed, "f", environment);
  if (!again.config || *again.config != *parsed.config) std::abort();
  return 0;
}

// Other programs' configurations: any bytes give a hearth.yaml that is valid, or errors, and every
// note is one line.
#include "codec/import.h"

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

// Set, and with something to quote in it.
std::optional<std::string> environment(const std::string& name) { return "${" + name + "' \""; }

void check_notes(const hearth::Imported& imported) {
  bool has_error = false;
  for (const hearth::ConfigProblem& note : imported.notes) {
    if (hearth::to_text(note, "f").find('\n') != std::string::npos) std::abort();
    has_error = has_error || note.is_error;
  }
  if (has_error == imported.yaml.has_value()) std::abort();
}

void check(const hearth::Imported& imported) {
  check_notes(imported);
  if (!imported.yaml) return;
  const hearth::ParsedConfig parsed = hearth::parse_config(*imported.yaml, "f", environment);
  if (!parsed.config) std::abort();
  if (parsed.config->launches.size() != imported.components.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check(hearth::import_llama_swap(text));
  check(hearth::import_jarvis(text));
  const std::size_t half = size / 2;
  check_notes(hearth::import_ollama({.url = hearth::ollama_url(text.substr(0, half)),
                                     .tags = std::string{text},
                                     .running = std::string{text.substr(half)},
                                     .version = std::string{text}}));
  return 0;
}

// Configurations of other programs as a hearth.yaml, and what of them could not be carried over.
//
// Contract   the functions are total: any bytes give a configuration or errors. Nothing is dropped
//            in silence: what is not carried over, an unknown key included, is a note with its
//            place and what to do. The text that comes out is valid for parse_config(), with the
//            environment variables set that it names; the notes stand at its head as comments too.
// Threads    pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/config.h"

namespace hearth {

struct Imported {
  std::optional<std::string> yaml;      // none when a note is an error
  std::vector<std::string> components;  // the names in it, in its order
  std::vector<ConfigProblem> notes;     // in order of place
};

// A configuration of llama-swap (YAML).
[[nodiscard]] Imported import_llama_swap(std::string_view text);

// The predecessor's components.json: its components by name.
[[nodiscard]] Imported import_jarvis(std::string_view text);

// What a running Ollama answered, each as it came, and where it was asked.
struct OllamaAnswers {
  std::string url;
  std::string tags;     // GET /api/tags
  std::string running;  // GET /api/ps; empty: it was not answered
  std::string version;  // GET /api/version; empty: it was not answered
};
[[nodiscard]] Imported import_ollama(const OllamaAnswers& answers);
// Where Ollama is, by the forms that OLLAMA_HOST has: "HOST", "HOST:PORT", ":PORT",
// "http://HOST:PORT"; the port is 11434 when there is neither port nor scheme, and an address to
// listen at (0.0.0.0) is this machine. Not checked: it is for parse_http_address() to refuse.
[[nodiscard]] std::string ollama_url(std::string_view host);

}  // namespace hearth

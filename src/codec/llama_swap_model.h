// One model of a llama-swap configuration, read with its macros expanded.
//
// Contract   read_llama_swap_model() takes the section below the model's name. What Hearth has no
//            key for is a note; what llama-swap would refuse too is an error.
// Threads    thread-compatible. Internal to codec/.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/import_parts.h"
#include "codec/llama_swap_macros.h"

namespace hearth {

struct LlamaSwapModel {
  std::vector<std::string> words;  // of its command
  std::optional<unsigned> port;    // fixed
  ConfigPlace port_place;
  std::string ready;              // the path that is asked; empty: it is ready once it is started
  std::optional<unsigned> ttl_s;  // 0: it is never unloaded for being idle
  std::optional<unsigned> timeout_s;
  std::optional<unsigned> grace_s;
  std::string stop_signal;
  std::vector<std::string> stop_words;  // a command that stops it, other than kill
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::pair<std::string, ConfigPlace>> aliases;
  std::string description;
  unsigned concurrency = 0;  // 0: no limit of its own
};

// The model as the file has it, and what messages call it.
struct LlamaSwapSource {
  const YamlNode& section;
  ConfigPlace place;
  std::string name;
};

// `macros` has begun this model.
[[nodiscard]] LlamaSwapModel read_llama_swap_model(const LlamaSwapSource& source,
                                                   LlamaSwapMacros& macros, ImportNotes& notes);

// `value` says nothing: null, false, or empty.
[[nodiscard]] bool is_without_effect(const YamlNode& value);
// A whole number from `least` to `most`, macros expanded. An error when it is none; a note when
// the environment decides.
struct WholeNumber {
  std::string label;  // "NAME: `ttl`"
  long least = 0;
  long most = 0;
};
[[nodiscard]] std::optional<long> whole_number(const YamlNode& value, const WholeNumber& wanted,
                                               LlamaSwapMacros& macros, ImportNotes& notes);
inline constexpr long seconds_max = 1'000'000'000;

}  // namespace hearth

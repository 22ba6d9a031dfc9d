// Macros of llama-swap: ${NAME} in the texts of a model.
//
// Contract   a model's own macro goes before the file's. What a macro names is expanded in turn;
//            ${PORT}, ${PID} and ${env.X} are left for others. A macro that leads to itself is an
//            error, told once; one that nobody defined is a note and stays as it is. A text whose
//            macros go deeper than `macro_depth_max`, are more than `macro_uses_max`, or make it
//            larger than `expanded_bytes_max`, is an error and stays as it was.
// Threads    thread-compatible. Internal to codec/.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/import_parts.h"

namespace hearth {

inline constexpr std::size_t expanded_bytes_max = 1u << 20;
inline constexpr std::size_t macro_depth_max = 32;
inline constexpr std::size_t macro_uses_max = 10'000;

class LlamaSwapMacros {
 public:
  explicit LlamaSwapMacros(ImportNotes& notes) : notes_(notes) {}

  // `macros` of the file.
  void define(const YamlNode& macros);
  // From now on it is about this model: its own macros (null: none), and ${MODEL_ID}. `subject`
  // stands before what is told of it.
  void begin_model(const std::string& id, const YamlNode* macros, const std::string& subject);

  [[nodiscard]] std::string expand(const std::string& text, ConfigPlace place);

 private:
  struct Macro {
    std::string value;
    ConfigPlace place;
  };
  using Macros = std::map<std::string, Macro, std::less<>>;

  void define(Macros& into, const YamlNode& macros);
  [[nodiscard]] const Macro* find(const std::string& name) const;
  bool expand_into(std::string& out, std::string_view text);
  bool open(const std::string& name, const Macro& macro);
  bool refuse(const std::string& why);

  ImportNotes& notes_;
  Macros of_file_;
  Macros of_model_;
  std::string subject_;
  std::set<std::string> told_;
  // Of the text that is being expanded.
  ConfigPlace place_;
  std::vector<std::string> open_;
  std::size_t uses_ = 0;
};

}  // namespace hearth

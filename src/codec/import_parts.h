// What all importers do: say what is not carried over, make names valid, write command lines.
//
// Contract   ImportNotes keeps at most `import_notes_max`, and never drops that there is an error.
//            ComponentNames gives each original its own valid name, and each alias to the first
//            that asks for it.
// Threads    thread-compatible. Internal to codec/.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/config.h"
#include "codec/import.h"
#include "codec/yaml_text.h"
#include "codec/yaml_tree.h"

namespace hearth {

inline constexpr std::size_t import_notes_max = 1000;
// Each may be the rival of all others, so the text grows with its square.
inline constexpr std::size_t import_components_max = 1000;

class ImportNotes {
 public:
  void error(ConfigPlace place, std::string message) { say(true, place, std::move(message)); }
  void note(ConfigPlace place, std::string message) { say(false, place, std::move(message)); }
  void add(std::vector<ConfigProblem> problems);

  [[nodiscard]] bool has_error() const { return has_error_; }
  [[nodiscard]] std::vector<ConfigProblem> take();

 private:
  void say(bool is_error, ConfigPlace place, std::string message);

  std::vector<ConfigProblem> notes_;
  bool has_error_ = false;
};

class ComponentNames {
 public:
  // Those that are valid as they are keep their name; the others get a near one that is free.
  explicit ComponentNames(const std::vector<std::string>& originals);

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] const std::string& name(std::size_t index) const { return names_.at(index); }
  [[nodiscard]] std::optional<std::size_t> find(const std::string& original) const;

  enum class Claim : unsigned char { granted, own_name, invalid, taken };
  // `holder` is whose it is already when it is taken.
  Claim claim_alias(std::size_t index, const std::string& alias, std::string* holder = nullptr);
  [[nodiscard]] const std::vector<std::string>& aliases(std::size_t index) const {
    return aliases_.at(index);
  }
  // As an alias, and a note when it cannot be one.
  void keep_alias(std::size_t index, const std::string& alias, ConfigPlace place,
                  ImportNotes& notes);

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> aliases_;
  std::map<std::string, std::size_t, std::less<>> originals_;
  std::map<std::string, std::size_t, std::less<>> taken_;  // names and aliases
};

// The tree when it can be imported from: a section, whose texts are all UTF-8 without zero bytes.
// Otherwise none, and errors that say what is wrong.
[[nodiscard]] const YamlNode* section_of(YamlTree& tree, ImportNotes& notes);
// "a list", "a section", "`x`", "nothing": for messages.
[[nodiscard]] std::string described(const YamlNode& node);

// `cmd` of these words: one line, or a folded one when it is long.
void add_command(YamlSection& component, const std::vector<std::string>& words);
// ${env.NAME} stays a macro; any other ${env. is escaped, so that Hearth does not read one.
[[nodiscard]] std::string with_env_macros(std::string_view text);

// One line, whatever the text holds: what ends a line in YAML becomes a blank.
[[nodiscard]] std::string comment_text(std::string_view text);

// The head, the notes as comments and the body; no text when there is an error.
[[nodiscard]] Imported finish_import(std::string_view source, const std::string& body,
                                     std::vector<std::string> components, ImportNotes notes);

}  // namespace hearth

// How hearth.yaml is read: values by their form, sections by tables of keys.
//
// Contract   every key of the file stands in one table with its form, its default and its meaning.
//            The tables are what the file is read by, and what the schema and docs/config.md are
//            made of. A wrong value is a problem with its place; reading goes on, so that all are
//            found.
// Threads    thread-compatible. Internal to codec/.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/config.h"
#include "codec/yaml_tree.h"

namespace hearth {

// What a value looks like; detail says more.
enum class Form : unsigned char {
  text,
  texts,    // a list, or one text alone
  command,  // a line, or a list of words
  size,
  budget,  // a size or a share such as 60%
  duration,
  whole,
  number,
  boolean,
  choice,           // detail: "a|b|c"
  section,          // detail: name of the section
  text_or_section,  // detail: name of the section
  pools_by_name,    // sizes, or {size, hard}
  devices_by_name,  // sizes, or the word exclusive
  texts_by_name,
  sections_by_name,  // detail: name of the section
  refused,           // known, and not supported yet
};

struct KeyText {
  std::string_view name;
  Form form = Form::text;
  std::string_view detail;
  std::string_view initial;  // what holds when it is absent, for a reader
  std::string_view meaning;
};

struct SectionText {
  std::string_view name;  // "" is the file itself
  std::vector<KeyText> keys;
};

// Every table, the file itself first.
[[nodiscard]] std::vector<SectionText> config_sections();

class ConfigReader;

template <class T>
struct Key {
  KeyText text;
  void (*take)(ConfigReader&, const YamlNode&, T&) = nullptr;
};

class ConfigReader {
 public:
  ConfigReader(const Environment& environment, std::vector<ConfigProblem>& problems)
      : environment_(environment), problems_(problems) {}

  void error(ConfigPlace place, std::string message) { say(true, place, std::move(message)); }
  void warning(ConfigPlace place, std::string message) { say(false, place, std::move(message)); }
  // "ocr: `memory`", the key that is being read; for messages.
  [[nodiscard]] std::string label() const { return subject_ + "`" + prefix_ + key_ + "`"; }
  // label() + " must be WHAT, not `GOT`".
  void expected(const YamlNode& got, std::string_view what);

  // Each leaves `into` alone when the value is wrong, and says so.
  void take(const YamlNode& node, std::string& into);
  void take(const YamlNode& node, Bytes& into);
  void take(const YamlNode& node, Duration& into);
  void take(const YamlNode& node, bool& into);
  void take(const YamlNode& node, double& into, double least, double most);
  void take(const YamlNode& node, unsigned& into, unsigned least, unsigned most);
  void take(const YamlNode& node, std::vector<std::string>& into,
            std::vector<ConfigPlace>* places = nullptr);
  void take(const YamlNode& node, std::map<std::string, std::string>& into);
  void take(const YamlNode& node, std::vector<NamedBytes>& into, bool can_be_exclusive);
  void take(const YamlNode& node, std::vector<PoolSpec>& into);
  // The index of the choice.
  [[nodiscard]] std::optional<std::size_t> choice(const YamlNode& node,
                                                  std::span<const std::string_view> choices);

  // The text of a scalar, macros not expanded; says so when it is none.
  [[nodiscard]] std::optional<std::string> raw_text(const YamlNode& node);
  [[nodiscard]] std::optional<std::string> text(const YamlNode& node);
  // ${env.X} replaced; $${env. stands for ${env. itself.
  [[nodiscard]] std::optional<std::string> expand(ConfigPlace place, const std::string& raw);

  template <class T>
  void section(const YamlNode& node, std::span<const Key<T>> keys, T& target) {
    if (node.is_null()) return;
    if (!node.is_map()) {
      expected(node, "a section with keys of its own");
      return;
    }
    const std::string prefix_before = prefix_;
    const std::string key_before = key_;
    if (!key_.empty()) prefix_ += key_ + ".";
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const Key<T>* known = nullptr;
      for (const Key<T>& key : keys) {
        if (key.text.name == node.keys[i].text) known = &key;
      }
      key_ = node.keys[i].text;
      if (known == nullptr) {
        std::vector<std::string> names;
        for (const Key<T>& key : keys) names.emplace_back(key.text.name);
        unknown_key(node.keys[i], names);
        continue;
      }
      if (places_ != nullptr) (*places_)[prefix_ + key_] = node.items[i].place;
      known->take(*this, node.items[i], target);
    }
    prefix_ = prefix_before;
    key_ = key_before;
  }

  // Messages are about this component and key from now on ("": the file), places are put there.
  void about(std::string subject, std::map<std::string, ConfigPlace>* places,
             std::string key = "") {
    subject_ = subject.empty() ? "" : std::move(subject) + ": ";
    prefix_.clear();
    key_ = std::move(key);
    places_ = places;
  }

 private:
  void say(bool is_error, ConfigPlace place, std::string message);
  void unknown_key(const YamlKey& key, const std::vector<std::string>& names);

  const Environment& environment_;
  std::vector<ConfigProblem>& problems_;
  std::map<std::string, ConfigPlace>* places_ = nullptr;
  std::string subject_;
  std::string prefix_;
  std::string key_;
};

struct ComponentDraft {
  Spec spec;
  Launch launch;
  ConfigPlace place;
  std::map<std::string, ConfigPlace> places;  // of values, by key
  std::vector<ConfigPlace> needs_at;
  std::vector<ConfigPlace> conflicts_at;
  std::vector<ConfigPlace> aliases_at;
  const YamlNode* command = nullptr;
};

struct ConfigDraft;

// The keys of one kind or another, and what each kind must and may not have (config_kinds.cpp).
inline constexpr std::size_t kind_key_count = 14;
[[nodiscard]] const std::array<Key<ComponentDraft>, kind_key_count>& kind_keys();
[[nodiscard]] std::vector<SectionText> kind_sections();
inline constexpr std::array<std::string_view, 4> component_kinds{"process", "http", "unit",
                                                                 "files"};
void check_kind(ConfigReader& reader, const ComponentDraft& draft);
// One model of a server is one component: two would take it from each other.
void check_model_is_its_own(ConfigReader& reader, const ConfigDraft& before,
                            const ComponentDraft& draft);
// A line, or a list of words, split and expanded.
[[nodiscard]] std::vector<std::string> read_words(ConfigReader& reader, const YamlNode& node,
                                                  bool is_shell);

struct ConfigDraft {
  Config config;
  std::vector<ComponentDraft> components;
  std::map<std::string, ConfigPlace> places;  // "memory.budget"
};

// Names as definitions have them; aliases may hold / and : too.
[[nodiscard]] bool is_component_name(std::string_view name);
[[nodiscard]] bool is_alias(std::string_view name);
// ": did you mean `x`?" or "".
[[nodiscard]] std::string did_you_mean(std::string_view name,
                                       const std::vector<std::string>& names);
// Text of the file in a message: one line, not too long.
[[nodiscard]] std::string quoted(std::string_view text);
// Hash of all that a component is started with.
[[nodiscard]] std::uint64_t revision_of(const Launch& launch);

// config_components.cpp, config_checks.cpp
void read_components(ConfigReader& reader, const YamlNode& node, ConfigDraft& draft);
[[nodiscard]] std::vector<SectionText> component_sections();
// What no key says by itself: names, cycles, rivals, ports, devices. Resolves aliases in needs.
void check_draft(ConfigReader& reader, ConfigDraft& draft);

template <class T, std::size_t n>
SectionText section_text(std::string_view name, const std::array<Key<T>, n>& keys) {
  SectionText section{name, {}};
  for (const Key<T>& key : keys) section.keys.push_back(key.text);
  return section;
}

}  // namespace hearth

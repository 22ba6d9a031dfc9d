#include "codec/import_parts.h"

#include <algorithm>
#include <tuple>

#include "base/limits.h"
#include "codec/config_reader.h"

namespace hearth {
namespace {

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
         c == '_' || c == '-';
}

// Runs of what a name cannot hold become one hyphen; none at the ends.
std::string valid_name(std::string_view original) {
  std::string name;
  for (const char c : original) {
    const char next = is_name_character(c) ? c : '-';
    const bool is_dropped = name.empty() ? next == '-' || next == '.' || next == '_'
                                         : next == '-' && name.ends_with('-');
    if (!is_dropped) name += next;
  }
  name.resize(std::min(name.size(), name_length_max));
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? "component" : name;
}

std::string shell_word(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n'\"\\") == std::string::npos) return word;
  std::string quoted_word = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted_word += "'\\''";
    } else {
      quoted_word += c;
    }
  }
  return quoted_word + "'";
}

// A folded text has no escapes.
bool is_foldable(std::string_view line) {
  const bool has_control = std::ranges::any_of(line, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  return !has_control && !line.contains("\u0085") && !line.contains("\u2028") &&
         !line.contains("\u2029") && !line.contains("\ufeff");
}

void check_text(const std::string& text, ConfigPlace place, ImportNotes& notes) {
  const bool has_zero = text.find('\0') != std::string::npos;
  if (has_zero || invalid_utf8_at(text)) {
    notes.error(place, has_zero ? "a text that holds a zero byte" : "a text that is not UTF-8");
  }
}

// The depth of a tree is bounded where it is read.
void check_texts(const YamlNode& node, ImportNotes& notes) {
  check_text(node.text, node.place, notes);
  for (const YamlKey& key : node.keys) check_text(key.text, key.place, notes);
  for (const YamlNode& item : node.items) check_texts(item, notes);
}

bool is_env_macro(std::string_view rest) {
  rest.remove_prefix(std::string_view{"${env."}.size());
  const std::size_t end = rest.find('}');
  if (end == std::string_view::npos || end == 0) return false;
  const std::string_view name = rest.substr(0, end);
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

void ImportNotes::say(bool is_error, ConfigPlace place, std::string message) {
  if (notes_.size() >= import_notes_max) {
    if (!is_error || has_error_) return;
    notes_.pop_back();
  }
  has_error_ = has_error_ || is_error;
  notes_.push_back({is_error, place.line, place.column, std::move(message)});
}

void ImportNotes::add(std::vector<ConfigProblem> problems) {
  for (ConfigProblem& problem : problems) {
    say(problem.is_error, {problem.line, problem.column}, std::move(problem.message));
  }
}

std::vector<ConfigProblem> ImportNotes::take() {
  std::ranges::sort(notes_, {}, [](const ConfigProblem& problem) {
    return std::tie(problem.line, problem.column, problem.message);
  });
  return std::move(notes_);
}

ComponentNames::ComponentNames(const std::vector<std::string>& originals)
    : names_(originals.size()), aliases_(originals.size()) {
  for (std::size_t i = 0; i < originals.size(); ++i) {
    originals_.emplace(originals[i], i);
    const bool is_kept = is_component_name(originals[i]) && taken_.emplace(originals[i], i).second;
    if (is_kept) names_[i] = originals[i];
  }
  for (std::size_t i = 0; i < originals.size(); ++i) {
    if (!names_[i].empty()) continue;
    const std::string wanted = valid_name(originals[i]);
    std::string name = wanted;
    for (std::size_t number = 2; taken_.contains(name); ++number) {
      const std::string suffix = "-" + std::to_string(number);
      name = wanted.substr(0, name_length_max - suffix.size()) + suffix;
    }
    names_[i] = name;
    taken_.emplace(name, i);
  }
}

std::optional<std::size_t> ComponentNames::find(const std::string& original) const {
  const auto found = originals_.find(original);
  if (found == originals_.end()) return std::nullopt;
  return found->second;
}

ComponentNames::Claim ComponentNames::claim_alias(std::size_t index, const std::string& alias,
                                                  std::string* holder) {
  if (!is_alias(alias)) return Claim::invalid;
  const auto [held, is_new] = taken_.emplace(alias, index);
  if (is_new) {
    aliases_[index].push_back(alias);
    return Claim::granted;
  }
  if (held->second == index) return Claim::own_name;
  if (holder != nullptr) *holder = names_[held->second];
  return Claim::taken;
}

void ComponentNames::keep_alias(std::size_t index, const std::string& alias, ConfigPlace place,
                                ImportNotes& notes) {
  std::string holder;
  switch (claim_alias(index, alias, &holder)) {
    case Claim::granted:
    case Claim::own_name:
      break;
    case Claim::invalid:
      notes.note(place, name(index) + ": the name " + quoted(alias) +
                            " is no alias that Hearth allows (letters, digits and . _ - / :): "
                            "let clients ask for " +
                            quoted(name(index)));
      break;
    case Claim::taken:
      notes.note(place, name(index) + ": the alias " + quoted(alias) + " is left out, as " +
                            quoted(holder) + " has it already: give one of them another");
      break;
  }
}

const YamlNode* section_of(YamlTree& tree, ImportNotes& notes) {
  notes.add(std::move(tree.problems));
  if (!tree.root) return nullptr;
  check_texts(*tree.root, notes);
  if (!tree.root->is_map()) {
    notes.error(tree.root->place, "expected a section with keys, not " + described(*tree.root));
  }
  return notes.has_error() ? nullptr : &*tree.root;
}

std::string described(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return quoted(node.text);
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a section";
  }
  return "";
}

void add_command(YamlSection& component, const std::vector<std::string>& words) {
  constexpr std::size_t line_length_max = 80;
  std::vector<std::string> lines{""};
  std::string whole;
  // Of the line: an option stands in it, and last what belongs to one.
  bool has_option = false;
  bool has_value = false;
  for (const std::string& word : words) {
    const std::string written = shell_word(with_env_macros(word));
    whole += (whole.empty() ? "" : " ") + written;
    const bool is_option = written.starts_with('-');
    const bool is_long = lines.back().size() + written.size() > line_length_max;
    if (!lines.back().empty() && ((is_option && has_value) || is_long)) {
      lines.emplace_back();
      has_option = false;
    }
    has_value = !is_option && has_option;
    has_option = has_option || is_option;
    lines.back() += (lines.back().empty() ? "" : " ") + written;
  }
  if (whole.size() <= line_length_max || !is_foldable(whole)) {
    component.add("cmd", yaml_scalar(whole));
  } else {
    component.add_folded("cmd", lines);
  }
}

std::string with_env_macros(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("${env.") && !is_env_macro(rest)) result += '$';
    result += text[i];
  }
  return result;
}

std::string comment_text(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view rest = text.substr(i);
    const bool is_separator = rest.starts_with("\u2028") || rest.starts_with("\u2029");
    if (is_separator || rest.starts_with("\ufeff")) {
      clean += ' ';
      i += 2;
    } else if (rest.starts_with("\u0085")) {
      clean += ' ';
      i += 1;
    } else {
      clean += byte < 0x20 || byte == 0x7f ? ' ' : text[i];
    }
  }
  return clean;
}

Imported finish_import(std::string_view source, const std::string& body,
                       std::vector<std::string> components, ImportNotes notes) {
  Imported imported;
  const bool has_error = notes.has_error();
  imported.notes = notes.take();
  if (has_error) return imported;
  std::string head = "# Made by `hearth import " + std::string{source} + "`.\n";
  if (!imported.notes.empty()) head += "# Not carried over as it was:\n";
  for (const ConfigProblem& note : imported.notes) {
    const std::string place = note.line > 0 ? "line " + std::to_string(note.line) + ": " : "";
    head += "# - " + comment_text(place + note.message) + "\n";
  }
  imported.yaml = head + body;
  imported.components = std::move(components);
  return imported;
}

}  // namespace hearth

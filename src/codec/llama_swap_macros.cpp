#include "codec/llama_swap_macros.h"

#include <algorithm>

#include "codec/config_reader.h"

namespace hearth {
namespace {

constexpr std::size_t macro_name_max = 63;

bool is_macro_name(std::string_view name) {
  return !name.empty() && name.size() <= macro_name_max && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
  });
}

bool is_left_alone(std::string_view name) { return name == "PORT" || name == "PID"; }

}  // namespace

void LlamaSwapMacros::define(const YamlNode& macros) { define(of_file_, macros); }

void LlamaSwapMacros::begin_model(const std::string& id, const YamlNode* macros,
                                  const std::string& subject) {
  subject_ = subject;
  of_model_.clear();
  if (macros != nullptr) define(of_model_, *macros);
  of_model_["MODEL_ID"] = {id, {}};
}

void LlamaSwapMacros::define(Macros& into, const YamlNode& macros) {
  if (macros.is_null()) return;
  if (!macros.is_map()) {
    notes_.error(macros.place, subject_ + "`macros` must be a section of names and texts, not " +
                                   described(macros));
    return;
  }
  for (std::size_t i = 0; i < macros.keys.size(); ++i) {
    const auto& [name, place] = macros.keys[i];
    const YamlNode& value = macros.items[i];
    if (is_left_alone(name) || name == "MODEL_ID") {
      notes_.error(place, subject_ + "the macro name " + quoted(name) + " is llama-swap's own");
    } else if (!is_macro_name(name)) {
      notes_.error(place, subject_ + "the macro name " + quoted(name) +
                              " may hold letters, digits, _ and - only, 63 at most");
    } else if (!value.is_scalar()) {
      notes_.note(value.place, subject_ + "the macro " + quoted(name) + " is " + described(value) +
                                   " and left out: only texts are expanded");
    } else if (value.text.contains("${" + name + "}")) {
      notes_.error(place, subject_ + "the macro " + quoted(name) + " leads to itself");
    } else {
      into[name] = {value.text, place};
    }
  }
}

const LlamaSwapMacros::Macro* LlamaSwapMacros::find(const std::string& name) const {
  for (const Macros* macros : {&of_model_, &of_file_}) {
    if (const auto found = macros->find(name); found != macros->end()) return &found->second;
  }
  return nullptr;
}

std::string LlamaSwapMacros::expand(const std::string& text, ConfigPlace place) {
  if (!text.contains("${")) return text;
  place_ = place;
  open_.clear();
  uses_ = 0;
  std::string out;
  return expand_into(out, text) ? out : text;
}

bool LlamaSwapMacros::expand_into(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find("${"), text.size());
    out += text.substr(0, begin);
    text.remove_prefix(begin);
    if (out.size() > expanded_bytes_max) {
      return refuse("its macros make it larger than " + format_bytes(Bytes{expanded_bytes_max}));
    }
    if (text.empty()) break;
    const std::size_t end = text.substr(0, 2 + macro_name_max + 1).find('}');
    const std::string name{end == std::string_view::npos ? "" : text.substr(2, end - 2)};
    const Macro* macro = find(name);
    if (macro == nullptr) {
      const bool is_unknown = is_macro_name(name) && !is_left_alone(name);
      if (is_unknown && told_.insert(subject_ + name).second) {
        notes_.note(place_, subject_ + "no macro is named " + quoted("${" + name + "}") +
                                ": left as it is; Hearth does not replace it");
      }
      out += "${";
      text.remove_prefix(2);
      continue;
    }
    text.remove_prefix(end + 1);
    if (!open(name, *macro) || !expand_into(out, macro->value)) return false;
    open_.pop_back();
  }
  return true;
}

bool LlamaSwapMacros::open(const std::string& name, const Macro& macro) {
  const auto same = std::ranges::find(open_, name);
  if (same != open_.end()) {
    std::string circle;
    for (auto at = same; at != open_.end(); ++at) circle += *at + " -> ";
    if (told_.insert(circle).second) {
      notes_.error(macro.place, "the macro " + quoted(name) + " leads to itself: " + circle + name);
    }
    return false;
  }
  if (open_.size() >= macro_depth_max) {
    return refuse("its macros go deeper than " + std::to_string(macro_depth_max));
  }
  if (++uses_ > macro_uses_max) {
    return refuse("it has more than " + std::to_string(macro_uses_max) + " macros");
  }
  open_.push_back(name);
  return true;
}

bool LlamaSwapMacros::refuse(const std::string& why) {
  notes_.error(place_, subject_ + why);
  return false;
}

}  // namespace hearth

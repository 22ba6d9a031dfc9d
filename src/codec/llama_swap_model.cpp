#include "codec/llama_swap_model.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>

#include "codec/config_reader.h"
#include "codec/llama_swap_rivals.h"

namespace hearth {
namespace {

constexpr std::string_view port_macro = "${PORT}";

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return std::string{text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1)};
}

// Without the lines that are comments.
std::string without_comments(const std::string& command) {
  std::istringstream lines{command};
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (!trimmed(line).starts_with('#')) kept += line + "\n";
  }
  return kept;
}

// A backslash at the end of a line joins it with the next, and blanks after it do not matter.
std::string with_lines_joined(const std::string& command) {
  std::istringstream lines{command};
  std::string joined;
  for (std::string line; std::getline(lines, line);) {
    const std::string text = trimmed(line);
    if (text.starts_with('#')) continue;
    joined += text.ends_with('\\') ? text.substr(0, text.size() - 1) + " " : line + "\n";
  }
  return joined;
}

struct ProxyAddress {
  std::string scheme;
  std::string host;
  std::string port;  // digits or the macro
  std::string path;  // without a slash at its end
};

std::optional<ProxyAddress> proxy_address(std::string_view url) {
  ProxyAddress address;
  const std::size_t colons = url.find("://");
  if (colons == std::string_view::npos) return std::nullopt;
  address.scheme = url.substr(0, colons);
  url.remove_prefix(colons + 3);
  const std::size_t slash = std::min(url.find('/'), url.size());
  address.path = url.substr(slash);
  while (address.path.ends_with('/')) address.path.pop_back();
  url = url.substr(0, slash);
  const std::size_t bracket = url.starts_with('[') ? url.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  const std::size_t colon = url.find(':', bracket);
  address.host = url.substr(0, std::min(colon, url.size()));
  address.port = colon == std::string_view::npos ? "80" : url.substr(colon + 1);
  if (address.host.empty()) return std::nullopt;
  return address;
}

bool is_this_machine(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "0.0.0.0" || host == "[::1]" ||
         host == "[::]";
}

// The signal of `kill -SIGNAL ${PID}` in its forms; none for any other command.
std::optional<std::string> signal_of(const std::vector<std::string>& words) {
  static constexpr std::array<std::string_view, 7> known{"HUP",  "INT",  "QUIT", "KILL",
                                                         "USR1", "USR2", "TERM"};
  const bool is_kill =
      words.size() >= 2 && words.back() == "${PID}" &&
      (words[0] == "kill" || words[0] == "/bin/kill" || words[0] == "/usr/bin/kill");
  if (!is_kill) return std::nullopt;
  if (words.size() == 2) return "TERM";
  std::string signal;
  if (words.size() == 4 && words[1] == "-s") signal = words[2];
  if (words.size() == 3 && words[1].starts_with('-')) signal = words[1].substr(1);
  if (signal.starts_with("SIG")) signal = signal.substr(3);
  int number = 0;
  const char* end = signal.data() + signal.size();
  const auto [at, error] = std::from_chars(signal.data(), end, number);
  const bool is_number = error == std::errc{} && at == end && number >= 1 && number <= 64;
  if (is_number || std::ranges::find(known, signal) != known.end()) return signal;
  return std::nullopt;
}

struct LeftOut {
  std::string_view key;
  std::string_view advice;
};
constexpr std::array left_out_keys{
    LeftOut{"unlisted", "every component is listed in /v1/models"},
    LeftOut{"metadata", "/v1/models has none"},
    LeftOut{"capabilities", "/v1/models has none"},
    LeftOut{"sendLoadingState",
            "`gateway: {keep_alive: 5s}` sends comments to streams while a component is loaded"},
    LeftOut{"timeouts", "`gateway: {answer: 10m}` is how long any answer may take to begin"},
    LeftOut{"compat", "requests pass as they are"},
};

class ModelReader {
 public:
  ModelReader(const LlamaSwapSource& source, LlamaSwapMacros& macros, ImportNotes& notes)
      : source_(source), macros_(macros), notes_(notes) {}

  LlamaSwapModel read() {
    const YamlNode& section = source_.section;
    for (std::size_t i = 0; i < section.keys.size(); ++i) {
      if (!section.items[i].is_null()) take(section.keys[i], section.items[i]);
    }
    if (section.find("cmd") == nullptr || section.find("cmd")->is_null()) {
      notes_.error(source_.place, source_.name + ": `cmd` is missing");
    }
    settle_address();
    return std::move(model_);
  }

 private:
  [[nodiscard]] std::string label(const std::string& key) const {
    return source_.name + ": `" + key + "`";
  }
  void expected(const std::string& key, const YamlNode& got, const std::string& what) {
    notes_.error(got.place, label(key) + " must be " + what + ", not " + described(got));
  }
  std::string text(const std::string& key, const YamlNode& value) {
    if (!value.is_scalar()) {
      expected(key, value, "a text");
      return "";
    }
    return macros_.expand(value.text, value.place);
  }
  std::optional<unsigned> number(const std::string& key, const YamlNode& value, long least,
                                 long most) {
    const auto whole =
        whole_number(value, {.label = label(key), .least = least, .most = most}, macros_, notes_);
    if (!whole || *whole < 0) return std::nullopt;
    return static_cast<unsigned>(*whole);
  }

  void take(const YamlKey& key, const YamlNode& value) {
    static const std::map<std::string_view, void (ModelReader::*)(const YamlKey&, const YamlNode&)>
        takers{{"cmd", &ModelReader::take_command},
               {"cmdStop", &ModelReader::take_stop},
               {"proxy", &ModelReader::take_proxy},
               {"checkEndpoint", &ModelReader::take_endpoint},
               {"ttl", &ModelReader::take_number},
               {"unloadTimeout", &ModelReader::take_number},
               {"healthCheckTimeout", &ModelReader::take_number},
               {"concurrencyLimit", &ModelReader::take_number},
               {"aliases", &ModelReader::take_aliases},
               {"env", &ModelReader::take_env},
               {"name", &ModelReader::take_name},
               {"description", &ModelReader::take_name},
               {"useModelName", &ModelReader::take_model_name},
               {"filters", &ModelReader::take_filters}};
    if (key.text == "macros") return;
    if (const auto found = takers.find(key.text); found != takers.end()) {
      (this->*found->second)(key, value);
      return;
    }
    const auto left_out = std::ranges::find(left_out_keys, key.text, &LeftOut::key);
    if (left_out == left_out_keys.end()) {
      std::vector<std::string> known;
      for (const auto& [name, taker] : takers) known.emplace_back(name);
      notes_.note(key.place, source_.name + ": unknown key " + quoted(key.text) + ", left out" +
                                 did_you_mean(key.text, known));
    } else if (!is_without_effect(value) && truth_of(value) != false) {
      notes_.note(key.place, label(key.text) + " is left out: " + std::string{left_out->advice});
    }
  }

  // As llama-swap does: comments go, then macros are expanded, then lines are joined.
  std::optional<std::vector<std::string>> words(const YamlKey& key, const YamlNode& value) {
    if (!value.is_scalar()) {
      expected(key.text, value, "a command line");
      return std::nullopt;
    }
    const std::string expanded = macros_.expand(without_comments(value.text), value.place);
    auto split = split_command(with_lines_joined(expanded));
    if (!split) {
      notes_.error(value.place, label(key.text) + ": " + split.error().detail);
      return std::nullopt;
    }
    return std::move(*split);
  }

  void take_command(const YamlKey& key, const YamlNode& value) {
    auto split = words(key, value);
    if (!split) return;
    if (split->empty() || split->front().empty()) {
      notes_.error(value.place, label(key.text) + " is empty");
    }
    model_.words = std::move(*split);
  }

  void take_stop(const YamlKey& key, const YamlNode& value) {
    const auto split = words(key, value);
    if (!split || split->empty()) return;
    if (auto signal = signal_of(*split)) {
      model_.stop_signal = std::move(*signal);
      return;
    }
    model_.stop_words = *split;
  }

  void take_proxy(const YamlKey& key, const YamlNode& value) {
    const std::string url = text(key.text, value);
    if (!value.is_scalar() || url.empty()) return;
    const auto address = proxy_address(url);
    if (!address || address->scheme != "http") {
      notes_.note(value.place, label(key.text) + " is " + quoted(url) +
                                   ": Hearth reaches a component by http at 127.0.0.1; make it "
                                   "listen there, and say `port`");
      return;
    }
    base_path_ = address->path;
    if (!is_this_machine(address->host)) {
      notes_.note(value.place, label(key.text) + " is at " + quoted(address->host) +
                                   ": Hearth reaches a component at 127.0.0.1; make it listen "
                                   "there too");
    }
    if (!base_path_.empty()) {
      notes_.note(value.place, label(key.text) + ": the path " + quoted(base_path_) +
                                   " is kept for `ready` alone: clients must ask for it");
    }
    if (address->port == port_macro) return;
    unsigned port = 0;
    const char* end = address->port.data() + address->port.size();
    const auto [at, error] = std::from_chars(address->port.data(), end, port);
    if (error != std::errc{} || at != end || port < 1 || port > 65535) {
      notes_.error(value.place, label(key.text) + " has no port from 1 to 65535: " + quoted(url));
      return;
    }
    model_.port = port;
    model_.port_place = value.place;
  }

  void take_endpoint(const YamlKey& key, const YamlNode& value) {
    endpoint_ = trimmed(text(key.text, value));
  }

  void take_number(const YamlKey& key, const YamlNode& value) {
    if (key.text == "ttl") {
      model_.ttl_s = number(key.text, value, -1, seconds_max);
    } else if (key.text == "unloadTimeout") {
      const auto grace = number(key.text, value, 0, seconds_max);
      if (grace && *grace > 0) model_.grace_s = grace;
    } else if (key.text == "healthCheckTimeout") {
      const auto timeout = number(key.text, value, 0, seconds_max);
      if (timeout && *timeout > 0) model_.timeout_s = timeout;
    } else {
      constexpr long requests_max = 65536;  // what `concurrency` takes
      model_.concurrency = number(key.text, value, 0, requests_max).value_or(0);
    }
  }

  void take_aliases(const YamlKey& key, const YamlNode& value) {
    if (!value.is_list()) {
      expected(key.text, value, "a list of names");
      return;
    }
    for (const YamlNode& item : value.items) {
      // Some versions have a section for each, with the name as its `id`.
      const YamlNode* id = item.is_map() ? item.find("id") : &item;
      if (id == nullptr || !id->is_scalar()) {
        notes_.error(item.place, label(key.text) + " must hold names, not " + described(item));
        continue;
      }
      model_.aliases.emplace_back(macros_.expand(id->text, id->place), id->place);
      for (const YamlKey& inner : item.keys) {
        if (inner.text == "id") continue;
        notes_.note(inner.place, label(key.text) + ": " + quoted(inner.text) +
                                     " is left out: an alias is a name and nothing more");
      }
    }
  }

  void take_env(const YamlKey& key, const YamlNode& value) {
    if (!value.is_list()) {
      expected(key.text, value, "a list of NAME=value");
      return;
    }
    constexpr std::size_t name_max = 256;
    for (const YamlNode& item : value.items) {
      const std::string entry = text(key.text, item);
      const std::size_t equals = entry.find('=');
      if (equals == 0 || equals == std::string::npos || equals > name_max) {
        if (!item.is_scalar()) continue;
        notes_.error(item.place, label(key.text) + ": " + quoted(entry) + " is not NAME=value");
        continue;
      }
      const std::string name = entry.substr(0, equals);
      std::erase_if(model_.env, [&](const auto& earlier) { return earlier.first == name; });
      model_.env.emplace_back(name, entry.substr(equals + 1));
    }
  }

  // Hearth has one text for people.
  void take_name(const YamlKey& key, const YamlNode& value) {
    const std::string words = trimmed(text(key.text, value));
    if (words.empty()) return;
    std::string& all = model_.description;
    if (all.empty()) {
      all = words;
    } else {
      all = key.text == "name" ? words + ": " + all : all + ": " + words;
    }
  }

  void take_model_name(const YamlKey& key, const YamlNode& value) {
    const std::string name = text(key.text, value);
    if (name.empty()) return;
    model_.aliases.emplace_back(name, value.place);
    notes_.note(key.place, label(key.text) + ": requests pass as they are; " + quoted(name) +
                               " is an alias, so let clients send that, or start the server under "
                               "the name that they send");
  }

  void take_filters(const YamlKey& key, const YamlNode& value) {
    if (!value.is_map()) {
      expected(key.text, value, "a section");
      return;
    }
    for (std::size_t i = 0; i < value.keys.size(); ++i) {
      const std::string& filter = value.keys[i].text;
      if (is_without_effect(value.items[i])) continue;
      const bool has_names = filter == "setParamsByID" && value.items[i].is_map();
      notes_.note(value.keys[i].place,
                  label("filters." + filter) + " is left out: requests pass as they are; give " +
                      "the server these settings in `cmd`, or let clients send them" +
                      (has_names ? " (its names are aliases)" : ""));
      if (!has_names) continue;
      for (const YamlKey& name : value.items[i].keys) {
        model_.aliases.emplace_back(macros_.expand(name.text, name.place), name.place);
      }
    }
  }

  void settle_address() {
    if (endpoint_ != "none") {
      model_.ready = base_path_ + (endpoint_.starts_with('/') ? "" : "/") + endpoint_;
    }
    const auto holds_port = [](const std::string& word) { return word.contains(port_macro); };
    const bool is_told =
        std::ranges::any_of(model_.words, holds_port) ||
        std::ranges::any_of(model_.env, [&](const auto& pair) { return holds_port(pair.second); });
    if (!model_.port && !is_told && !model_.words.empty()) {
      notes_.note(source_.place, source_.name +
                                     ": neither `cmd` has ${PORT} nor `proxy` a port: pass "
                                     "${PORT} to the server, or say `port: N`");
    }
  }

  const LlamaSwapSource& source_;
  LlamaSwapMacros& macros_;
  ImportNotes& notes_;
  LlamaSwapModel model_;
  std::string base_path_;
  std::string endpoint_ = "/health";
};

}  // namespace

LlamaSwapModel read_llama_swap_model(const LlamaSwapSource& source, LlamaSwapMacros& macros,
                                     ImportNotes& notes) {
  return ModelReader{source, macros, notes}.read();
}

bool is_without_effect(const YamlNode& value) {
  const bool is_empty = value.is_scalar() ? value.text.empty() : value.items.empty();
  return is_empty || truth_of(value) == false;
}

std::optional<long> whole_number(const YamlNode& value, const WholeNumber& wanted,
                                 LlamaSwapMacros& macros, ImportNotes& notes) {
  const std::string text = value.is_scalar() ? macros.expand(value.text, value.place) : "";
  if (text.contains("${env.")) {
    notes.note(value.place,
               wanted.label + " comes from the environment and is left out: write " + "the number");
    return std::nullopt;
  }
  long number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const bool is_good =
      error == std::errc{} && at == end && number >= wanted.least && number <= wanted.most;
  if (is_good) return number;
  notes.error(value.place, wanted.label + " must be a whole number from " +
                               std::to_string(wanted.least) + " to " + std::to_string(wanted.most) +
                               ", not " + described(value));
  return std::nullopt;
}

}  // namespace hearth

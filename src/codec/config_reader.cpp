#include "codec/config_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/archive.h"
#include "base/hash.h"

namespace hearth {
namespace {

constexpr std::size_t problems_max = 200;

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_name(std::string_view name, std::string_view inner, std::size_t length_max) {
  return !name.empty() && name.size() <= length_max && is_letter_or_digit(name[0]) &&
         std::ranges::all_of(name, [inner](char c) {
           return is_letter_or_digit(c) || inner.find(c) != std::string_view::npos;
         });
}

template <class N>
std::optional<N> number_of(const std::string& text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string shown_number(double value) {
  std::string text = std::to_string(value);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

bool is_component_name(std::string_view name) { return is_name(name, "._-", 64); }
bool is_alias(std::string_view name) { return is_name(name, "._-/:", 128); }

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  std::string result = "`";
  std::size_t end = std::min(text.size(), shown_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
    --end;
  }
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return result + (end < text.size() ? "...`" : "`");
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names) {
  const std::vector<std::string> near = near_names(name, names);
  std::string text;
  for (const std::string& each : near) text += (text.empty() ? "" : " or ") + quoted(each);
  return text.empty() ? "" : ": did you mean " + text + "?";
}

std::uint64_t revision_of(const Launch& launch) {
  Writer writer;
  writer(launch.name, launch.kind, launch.argv, launch.is_shell, launch.port.value_or(0),
         static_cast<unsigned>(launch.ready.kind), launch.ready.value, launch.warmup.has_value());
  if (launch.warmup) writer(launch.warmup->method, launch.warmup->path, launch.warmup->body);
  writer(launch.stop.signal, launch.stop.grace, launch.stop.path, launch.env, launch.directory,
         launch.files, launch.limits.memory_max, launch.limits.cpus, launch.limits.pids_max,
         static_cast<unsigned>(launch.on_exit));
  const ServerSpec& server = launch.server;
  writer(launch.stop.argv, launch.is_locked, launch.before, launch.after, launch.instances,
         server.url, server.preset, server.model, launch.unit.unit, launch.unit.is_of_user,
         launch.unit.container, launch.unit.engine);
  for (const ServerRequest* request : {&server.load, &server.unload}) {
    writer(request->method, request->path, request->body);
  }
  const ServerStatus& status = server.status;
  writer(status.path, status.list, status.name, status.state, status.loaded, status.size,
         status.device_size);
  const std::span<const std::byte> bytes = writer.bytes();
  return fnv1a({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void ConfigReader::say(bool is_error, ConfigPlace place, std::string message) {
  if (problems_.size() >= problems_max) {
    if (!is_error) return;
    // Never let a full list hide that there is an error at all.
    const bool has_error = std::ranges::any_of(problems_, &ConfigProblem::is_error);
    if (has_error) return;
    problems_.pop_back();
  }
  problems_.push_back({is_error, place.line, place.column, std::move(message)});
}

void ConfigReader::unknown_key(const YamlKey& key, const std::vector<std::string>& names) {
  if (problems_.size() >= problems_max) return;
  std::string where = prefix_;
  if (where.ends_with('.')) where.pop_back();
  std::string message = subject_ + "unknown key " + quoted(key.text);
  if (!where.empty()) message += " in `" + where + "`";
  error(key.place, message + did_you_mean(key.text, names));
}

void ConfigReader::expected(const YamlNode& got, std::string_view what) {
  std::string found;
  switch (got.kind) {
    case YamlNode::Kind::null:
      found = "nothing";
      break;
    case YamlNode::Kind::scalar:
      found = quoted(got.text);
      break;
    case YamlNode::Kind::list:
      found = "a list";
      break;
    case YamlNode::Kind::map:
      found = "a section";
      break;
  }
  error(got.place, label() + " must be " + std::string{what} + ", not " + found);
}

std::optional<std::string> ConfigReader::raw_text(const YamlNode& node) {
  if (!node.is_scalar()) {
    expected(node, "a text");
    return std::nullopt;
  }
  if (node.text.find('\0') != std::string::npos) {
    error(node.place, label() + " holds a zero byte");
    return std::nullopt;
  }
  if (invalid_utf8_at(node.text)) {
    error(node.place, label() + " is not UTF-8");
    return std::nullopt;
  }
  return node.text;
}

std::optional<std::string> ConfigReader::text(const YamlNode& node) {
  const auto raw = raw_text(node);
  return raw ? expand(node.place, *raw) : std::nullopt;
}

std::optional<std::string> ConfigReader::expand(ConfigPlace place, const std::string& raw) {
  static constexpr std::string_view begin = "${env.";
  std::string result;
  bool is_good = true;
  std::size_t at = 0;
  while (true) {
    const std::size_t found = raw.find(begin, at);
    result += raw.substr(at, found == std::string::npos ? found : found - at);
    if (found == std::string::npos) break;
    at = found + begin.size();
    if (result.ends_with('$')) {
      result.pop_back();
      result += begin;
      continue;
    }
    const std::size_t end = raw.find('}', at);
    if (end == std::string::npos) {
      error(place, label() + " has a ${env. that no } closes");
      return std::nullopt;
    }
    const std::string name = raw.substr(at, end - at);
    if (const auto value = environment_ ? environment_(name) : std::nullopt) {
      result += *value;
    } else {
      error(place,
            label() + " names the environment variable " + quoted(name) + ", which is not set");
      is_good = false;
    }
    at = end + 1;
  }
  if (!is_good) return std::nullopt;
  return result;
}

void ConfigReader::take(const YamlNode& node, std::string& into) {
  if (auto value = text(node)) into = std::move(*value);
}

void ConfigReader::take(const YamlNode& node, Bytes& into) {
  const auto value = node.is_scalar() ? text(node) : std::string{};
  if (!value) return;
  const auto size = parse_bytes(*value);
  if (size) {
    into = *size;
  } else {
    expected(node, "a size such as 1.5GiB or 300MB");
  }
}

void ConfigReader::take(const YamlNode& node, Duration& into) {
  const auto value = node.is_scalar() ? text(node) : std::string{};
  if (!value) return;
  const auto span = parse_duration(*value);
  if (span) {
    into = *span;
  } else {
    expected(node, "a duration with its unit, such as 500ms, 30s or 5m");
  }
}

void ConfigReader::take(const YamlNode& node, bool& into) {
  const auto value = node.is_scalar() ? text(node) : std::string{};
  if (!value) return;
  if (*value == "true" || *value == "false") {
    into = *value == "true";
  } else {
    expected(node, "true or false");
  }
}

void ConfigReader::take(const YamlNode& node, double& into, double least, double most) {
  const auto value = node.is_scalar() ? text(node) : std::string{};
  if (!value) return;
  const auto number = number_of<double>(*value);
  if (number && std::isfinite(*number) && *number >= least && *number <= most) {
    into = *number;
  } else {
    expected(node, "a number from " + shown_number(least) + " to " + shown_number(most));
  }
}

void ConfigReader::take(const YamlNode& node, unsigned& into, unsigned least, unsigned most) {
  const auto value = node.is_scalar() ? text(node) : std::string{};
  if (!value) return;
  const auto number = number_of<unsigned>(*value);
  if (number && *number >= least && *number <= most) {
    into = *number;
  } else {
    expected(node, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
}

void ConfigReader::take(const YamlNode& node, std::vector<std::string>& into,
                        std::vector<ConfigPlace>* places) {
  const auto add = [&](const YamlNode& item) {
    auto value = text(item);
    if (!value) return;
    into.push_back(std::move(*value));
    if (places != nullptr) places->push_back(item.place);
  };
  if (node.is_list()) {
    for (const YamlNode& item : node.items) add(item);
  } else if (node.is_scalar()) {
    add(node);
  } else {
    expected(node, "a list of texts");
  }
}

void ConfigReader::take(const YamlNode& node, std::map<std::string, std::string>& into) {
  if (!node.is_map()) {
    expected(node, "a section of names and texts");
    return;
  }
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& name = node.keys[i].text;
    const bool is_sized = !name.empty() && name.size() <= 256;
    if (!is_sized || invalid_utf8_at(name) ||
        name.find_first_of(std::string_view{"=\0", 2}) != std::string::npos) {
      error(node.keys[i].place, label() + " has a name that no variable can have");
    } else if (auto value = text(node.items[i])) {
      into[name] = std::move(*value);
    }
  }
}

void ConfigReader::take(const YamlNode& node, std::vector<NamedBytes>& into,
                        bool can_be_exclusive) {
  const auto add = [&](const std::string& name, ConfigPlace place, const YamlNode* value) {
    if (!is_component_name(name)) {
      error(place,
            label() + ": the name " + quoted(name) + " may hold letters, digits and . _ - only");
      return;
    }
    Bytes bytes = exclusive_device;
    const bool is_word = value == nullptr || (value->is_scalar() && value->text == "exclusive");
    const bool is_auto = value != nullptr && value->is_scalar() && value->text == "auto";
    if (can_be_exclusive && is_auto) {
      bytes = auto_device;
    } else if (!(can_be_exclusive && is_word)) {
      bytes = Bytes{};
      take(*value, bytes);
      if (bytes == Bytes{}) {
        error(value->place, label() + ": " + quoted(name) + " must be more than 0");
        return;
      }
    }
    into.push_back({name, bytes});
  };
  if (can_be_exclusive && node.is_list()) {
    for (const YamlNode& item : node.items) {
      if (const auto name = text(item)) add(*name, item.place, nullptr);
    }
  } else if (node.is_map()) {
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      add(node.keys[i].text, node.keys[i].place, &node.items[i]);
    }
  } else if (!node.is_null()) {
    expected(node, "a section of names and sizes");
  }
}

void ConfigReader::take(const YamlNode& node, std::vector<PoolSpec>& into) {
  if (!node.is_map()) {
    if (!node.is_null()) expected(node, "a section of names and sizes");
    return;
  }
  constexpr std::array keys{
      Key<PoolSpec>{{"size", Form::size, "", "", ""},
                    [](ConfigReader& r, const YamlNode& n, PoolSpec& p) { r.take(n, p.bytes); }},
      Key<PoolSpec>{{"hard", Form::boolean, "", "", ""},
                    [](ConfigReader& r, const YamlNode& n, PoolSpec& p) { r.take(n, p.is_hard); }}};
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    PoolSpec pool{.name = node.keys[i].text};
    if (!is_component_name(pool.name)) {
      error(node.keys[i].place, label() + ": the name " + quoted(pool.name) +
                                    " may hold letters, digits and . _ - only");
      continue;
    }
    const YamlNode& value = node.items[i];
    if (value.is_map()) {
      const std::string key_before = std::exchange(key_, key_ + "." + pool.name);
      section<PoolSpec>(value, keys, pool);
      key_ = key_before;
    } else {
      take(value, pool.bytes);
    }
    if (pool.bytes == Bytes{}) {
      error(value.place, label() + ": " + quoted(pool.name) + " must be more than 0");
    } else {
      into.push_back(std::move(pool));
    }
  }
}

std::optional<std::size_t> ConfigReader::choice(const YamlNode& node,
                                                std::span<const std::string_view> choices) {
  const auto value = node.is_scalar() ? text(node) : std::string{};
  if (!value) return std::nullopt;
  const auto found = std::ranges::find(choices, *value);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  std::string all;
  for (const std::string_view each : choices) all += (all.empty() ? "" : ", ") + std::string{each};
  expected(node, "one of " + all);
  return std::nullopt;
}

}  // namespace hearth

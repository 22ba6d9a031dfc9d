// The predecessor's components.json. Its components were Python functions inside of one process;
// here each is a process of its own.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "codec/config_links.h"
#include "codec/config_reader.h"
#include "codec/import_parts.h"
#include "codec/json_tree.h"

namespace hearth {
namespace {

constexpr std::array<std::string_view, 4> priorities{"core", "high", "medium", "low"};

struct Link {
  std::size_t to = 0;
  ConfigPlace place;
};

struct JarvisComponent {
  ConfigPlace place;
  std::string priority;
  std::optional<std::uint64_t> memory_mib;
  std::optional<std::uint64_t> load_time_ms;
  std::vector<std::string> keywords;
  std::vector<Link> needs;
  std::vector<Link> conflicts;
  std::string description;
  std::string function;
  ConfigPlace function_place;
  bool is_lazy = true;
};

std::string lowered(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_python_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// "package.module.function" taken apart; the module is `main` where none is named, as it was there.
struct PythonFunction {
  std::string module = "main";
  std::string name;
};
std::optional<PythonFunction> python_function(std::string_view text) {
  PythonFunction function;
  const std::size_t dot = text.rfind('.');
  function.name = text.substr(dot == std::string_view::npos ? 0 : dot + 1);
  if (dot != std::string_view::npos) function.module = text.substr(0, dot);
  std::string_view rest = function.module;
  while (true) {
    const std::size_t end = std::min(rest.find('.'), rest.size());
    if (!is_python_name(rest.substr(0, end))) return std::nullopt;
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  if (!is_python_name(function.name)) return std::nullopt;
  return function;
}

class JarvisImport {
 public:
  JarvisImport(const YamlNode& components, ImportNotes& notes)
      : source_(components), notes_(notes), names_(originals(components)) {}

  void read() {
    components_.resize(source_.items.size());
    for (std::size_t i = 0; i < source_.items.size(); ++i) {
      components_[i].place = source_.keys[i].place;
      if (!source_.items[i].is_map()) {
        notes_.error(source_.items[i].place,
                     names_.name(i) + ": expected an object with keys such as `priority`, not " +
                         described(source_.items[i]));
        continue;
      }
      read_component(i, source_.items[i]);
      if (names_.name(i) != source_.keys[i].text) {
        names_.keep_alias(i, source_.keys[i].text, source_.keys[i].place, notes_);
      }
    }
    if (notes_.has_error()) return;
    open_circles();
    drop_impossible_conflicts();
  }

  // Told once the rest is good: what is to be filled in.
  void note_commands() {
    for (std::size_t i = 0; i < components_.size(); ++i) {
      const JarvisComponent& component = components_[i];
      const auto function = python_function(component.function);
      const std::string name = names_.name(i);
      if (function) {
        notes_.note(component.function_place,
                    name + ": `import_function` is a Python function, not a process: `cmd` loads " +
                        "it and waits; set `directory` to the folder of " + function->module +
                        ", and put a command that serves it in its place");
      } else if (component.function.empty()) {
        notes_.note(component.place, name +
                                         ": no `import_function`: `cmd` only says that it is "
                                         "to be filled in, and fails until it is");
      } else {
        notes_.note(component.function_place,
                    name + ": `import_function` " + quoted(component.function) +
                        " is no Python function: `cmd` only says that it is to be filled in, and "
                        "fails until it is");
      }
    }
  }

  [[nodiscard]] std::string body() const {
    if (components_.empty()) return "components: {}\n";
    std::string out = "components:\n";
    YamlSection root{out, 1};
    for (std::size_t i = 0; i < components_.size(); ++i) write(root, i);
    return out;
  }
  [[nodiscard]] std::vector<std::string> component_names() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < components_.size(); ++i) all.push_back(names_.name(i));
    return all;
  }

 private:
  static std::vector<std::string> originals(const YamlNode& components) {
    std::vector<std::string> all;
    for (const YamlKey& key : components.keys) all.push_back(key.text);
    return all;
  }

  void expected(std::size_t i, const std::string& key, const YamlNode& got, std::string_view what) {
    notes_.error(got.place, names_.name(i) + ": `" + key + "` must be " + std::string{what} +
                                ", not " + described(got));
  }

  void read_component(std::size_t i, const YamlNode& node) {
    JarvisComponent& component = components_[i];
    for (std::size_t k = 0; k < node.keys.size(); ++k) {
      const std::string& key = node.keys[k].text;
      const YamlNode& value = node.items[k];
      if (value.is_null()) continue;
      if (key == "priority") {
        read_priority(i, value);
      } else if (key == "estimated_memory_mb") {
        component.memory_mib = number(i, key, value);
      } else if (key == "estimated_load_time_ms") {
        component.load_time_ms = number(i, key, value);
      } else if (key == "intent_keywords") {
        component.keywords = texts(i, key, value);
      } else if (key == "dependencies") {
        component.needs = links(i, key, value);
      } else if (key == "conflicts") {
        component.conflicts = links(i, key, value);
      } else if (key == "description") {
        component.description = text(i, key, value);
      } else if (key == "import_function") {
        component.function = text(i, key, value);
        component.function_place = value.place;
      } else if (key == "lazy_init") {
        component.is_lazy = value.text != "false";
        const bool is_truth = value.text == "true" || value.text == "false";
        if (!value.is_scalar() || !is_truth) expected(i, key, value, "true or false");
      } else if (key == "preload_triggers") {
        notes_.note(node.keys[k].place,
                    names_.name(i) +
                        ": `preload_triggers` is left out: Hearth loads ahead by "
                        "the probability of the command; put words that ask for it "
                        "into `keywords`");
      } else {
        notes_.note(node.keys[k].place, names_.name(i) + ": unknown key " + quoted(key) +
                                            ", left out: Hearth has nothing by this name");
      }
    }
  }

  void read_priority(std::size_t i, const YamlNode& value) {
    const std::string name = lowered(value.text);
    if (!value.is_scalar() || std::ranges::find(priorities, name) == priorities.end()) {
      expected(i, "priority", value, "one of CORE, HIGH, MEDIUM, LOW");
    } else {
      components_[i].priority = name;
    }
  }

  // Whole, rounded up; none for 0.
  std::optional<std::uint64_t> number(std::size_t i, const std::string& key,
                                      const YamlNode& value) {
    constexpr double most = 1e9;
    double parsed = -1;
    if (value.is_scalar()) {
      const char* end = value.text.data() + value.text.size();
      const auto [at, error] = std::from_chars(value.text.data(), end, parsed);
      if (error != std::errc{} || at != end) parsed = -1;
    }
    if (!(parsed >= 0 && parsed <= most)) {
      expected(i, key, value, "a number from 0 to a thousand million");
      return std::nullopt;
    }
    auto whole = static_cast<std::uint64_t>(parsed);
    if (static_cast<double>(whole) < parsed) ++whole;
    if (whole == 0) return std::nullopt;
    return whole;
  }

  std::string text(std::size_t i, const std::string& key, const YamlNode& value) {
    if (!value.is_scalar()) expected(i, key, value, "a text");
    return value.text;
  }

  std::vector<std::string> texts(std::size_t i, const std::string& key, const YamlNode& value) {
    std::vector<std::string> all;
    if (!value.is_list()) expected(i, key, value, "a list of texts");
    for (const YamlNode& item : value.items) {
      if (value.is_list()) all.push_back(text(i, key, item));
    }
    return all;
  }

  std::vector<Link> links(std::size_t i, const std::string& key, const YamlNode& value) {
    std::vector<Link> all;
    if (!value.is_list()) expected(i, key, value, "a list of components");
    if (!value.is_list()) return all;
    std::set<std::size_t> seen;
    for (const YamlNode& item : value.items) {
      const std::string other = text(i, key, item);
      const auto found = names_.find(other);
      if (!found) {
        notes_.note(item.place, names_.name(i) + ": `" + key + "` names " + quoted(other) +
                                    ", which the file does not have: left out" +
                                    did_you_mean(other, originals(source_)));
      } else if (*found == i) {
        notes_.note(item.place,
                    names_.name(i) + ": `" + key + "` names the component itself: left out");
      } else if (seen.insert(*found).second) {
        all.push_back({*found, item.place});
      }
    }
    return all;
  }

  [[nodiscard]] std::vector<std::vector<std::size_t>> need_numbers() const {
    std::vector<std::vector<std::size_t>> numbers(components_.size());
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const Link& need : components_[i].needs) numbers[i].push_back(need.to);
    }
    return numbers;
  }

  // The predecessor loaded circles; here they are an error. Each time round all that were found
  // lose the need that closes them.
  void open_circles() {
    for (Walk found = walk(need_numbers()); !found.cycles.empty(); found = walk(need_numbers())) {
      for (const std::vector<std::size_t>& cycle : found.cycles) {
        JarvisComponent& last = components_[cycle.back()];
        const auto closing = std::ranges::find(last.needs, cycle.front(), &Link::to);
        if (closing == last.needs.end()) continue;  // two circles shared it
        notes_.note(closing->place, names_.name(cycle.back()) + ": it needs " +
                                        quoted(names_.name(cycle.front())) +
                                        ", which needs it in turn: left out, as needs may not go "
                                        "in a circle; decide which of them is first");
        last.needs.erase(closing);
      }
    }
  }

  // What no configuration may have: rivals that are both core, or that one component needs.
  void drop_impossible_conflicts() {
    Links links;
    links.needs = need_numbers();
    Closure closure{links};
    std::set<std::pair<std::size_t, std::size_t>> together;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      for (const std::size_t member : closure.of(i)) {
        for (const Link& rival : components_[member].conflicts) {
          if (closure.has(rival.to)) together.insert({member, rival.to});
        }
      }
    }
    for (std::size_t i = 0; i < components_.size(); ++i) {
      std::erase_if(components_[i].conflicts, [&](const Link& rival) {
        const bool is_core =
            components_[i].priority == "core" && components_[rival.to].priority == "core";
        if (!is_core && !together.contains({i, rival.to})) return false;
        notes_.note(rival.place,
                    names_.name(i) + ": its conflict with " + quoted(names_.name(rival.to)) +
                        (is_core ? " is left out, as both are core and always loaded: give one "
                                   "of them another priority"
                                 : " is left out, as one component needs both: decide which"));
        return true;
      });
    }
  }

  void write(YamlSection& root, std::size_t i) const {
    const JarvisComponent& component = components_[i];
    YamlSection section = root.open(names_.name(i));
    write_command(section, i);
    if (!component.priority.empty()) section.add("priority", component.priority);
    if (component.memory_mib) {
      section.add("memory", std::to_string(*component.memory_mib) + "MiB");
    }
    // Three times the estimate, where that is more than every load is allowed.
    constexpr Duration usual_timeout = 30s;
    const Duration timeout =
        Duration{1ms} * static_cast<long>(component.load_time_ms.value_or(0)) * 3;
    if (timeout > usual_timeout) section.add("timeout", yaml_duration(timeout));
    if (!component.is_lazy) section.add("lazy", "false");
    add_links(section, "needs", component.needs);
    add_links(section, "conflicts", component.conflicts);
    if (!component.keywords.empty()) section.add("keywords", yaml_texts(component.keywords));
    if (!names_.aliases(i).empty()) section.add("aliases", yaml_scalars(names_.aliases(i)));
    if (!component.description.empty()) {
      section.add("description", yaml_text(component.description));
    }
  }

  void add_links(YamlSection& section, std::string_view key, const std::vector<Link>& links) const {
    if (links.empty()) return;
    std::vector<std::string> all;
    for (const Link& link : links) all.push_back(names_.name(link.to));
    section.add(key, yaml_scalars(all));
  }

  // A function has no process. The nearest thing loads it in one and stays, which makes its memory
  // and its load time real; what it offers is for its owner to put behind a port.
  void write_command(YamlSection& section, std::size_t i) const {
    const JarvisComponent& component = components_[i];
    const auto function = python_function(component.function);
    if (function) {
      add_command(section,
                  {"python3", "-c",
                   "import signal; from " + function->module + " import " + function->name + "; " +
                       function->name + "(); print(\"loaded\", flush=True); signal.pause()"});
      section.open("ready").add("line", "loaded");
    } else {
      add_command(section, {"sh", "-c",
                            "echo \"hearth.yaml: fill in the command of " + names_.name(i) +
                                "\" >&2; exit 1"});
    }
  }

  const YamlNode& source_;
  ImportNotes& notes_;
  ComponentNames names_;
  std::vector<JarvisComponent> components_;
};

bool is_component(const YamlNode& node) {
  static constexpr std::array<std::string_view, 4> marks{"priority", "import_function",
                                                         "estimated_memory_mb", "intent_keywords"};
  return std::ranges::any_of(marks,
                             [&](std::string_view key) { return node.find(key) != nullptr; });
}

// The components by name, or the section that holds them; notes on what else there is.
const YamlNode* components_of(const YamlNode& root, ImportNotes& notes) {
  const YamlNode* models = root.find("models");
  if (models != nullptr && !is_component(*models)) {
    notes.error(root.place, "this looks like llama-swap's: `hearth import llama-swap FILE`");
    return nullptr;
  }
  const YamlNode* inner = root.find("components");
  if (inner == nullptr || !inner->is_map() || is_component(*inner)) return &root;
  for (const YamlKey& key : root.keys) {
    if (key.text == "components") continue;
    notes.note(key.place, "unknown key " + quoted(key.text) +
                              ", left out: only `components` is read of this file");
  }
  return inner;
}

}  // namespace

Imported import_jarvis(std::string_view text) {
  ImportNotes notes;
  YamlTree tree = read_json_tree(text);
  const YamlNode* root = section_of(tree, notes);
  const YamlNode* source = root != nullptr ? components_of(*root, notes) : nullptr;
  if (source != nullptr && source->items.size() > import_components_max) {
    notes.error(source->place,
                "more than " + std::to_string(import_components_max) + " components");
    source = nullptr;
  }
  if (source == nullptr) return finish_import("jarvis", "", {}, std::move(notes));
  JarvisImport jarvis{*source, notes};
  jarvis.read();
  if (notes.has_error()) return finish_import("jarvis", "", {}, std::move(notes));
  jarvis.note_commands();
  return finish_import("jarvis", jarvis.body(), jarvis.component_names(), std::move(notes));
}

}  // namespace hearth

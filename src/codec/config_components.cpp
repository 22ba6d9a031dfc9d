// The keys of one component.
#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "codec/config_reader.h"

namespace hearth {
namespace {

using Reader = ConfigReader;
using Node = YamlNode;
using Draft = ComponentDraft;
using DraftKey = Key<ComponentDraft>;

constexpr std::array<std::string_view, 4> priority_names{"low", "medium", "high", "core"};
constexpr std::array<std::string_view, 2> kinds_later{"plugin", "python"};

struct SignalName {
  std::string_view name;
  int number;
};
constexpr std::array<SignalName, 7> signals{
    {{"HUP", 1}, {"INT", 2}, {"QUIT", 3}, {"KILL", 9}, {"USR1", 10}, {"USR2", 12}, {"TERM", 15}}};

void take_kind(Reader& r, const Node& n, Draft& d) {
  const auto value = r.text(n);
  if (!value) return;
  if (std::ranges::find(component_kinds, *value) != component_kinds.end()) {
    d.launch.kind = *value;
  } else if (std::ranges::find(kinds_later, *value) != kinds_later.end()) {
    r.error(n.place, r.label() + ": the kind " + quoted(*value) + " is not supported yet");
  } else {
    const std::vector<std::string> known{component_kinds.begin(), component_kinds.end()};
    r.error(n.place, r.label() + ": unknown kind " + quoted(*value) + did_you_mean(*value, known));
  }
}

void take_priority(Reader& r, const Node& n, Draft& d) {
  const auto index = r.choice(n, priority_names);
  if (index) d.spec.priority = static_cast<Priority>(*index);
}

void take_port(Reader& r, const Node& n, Draft& d) {
  unsigned port = 0;
  r.take(n, port, 1, 65535);
  if (port > 0) d.launch.port = static_cast<int>(port);
}

void take_memory(Reader& r, const Node& n, Draft& d) {
  if (!n.is_scalar()) {
    r.expected(n, "a size such as 1.5GiB or 300MB");
    return;
  }
  const auto value = r.text(n);
  if (!value) return;
  const auto bytes = parse_bytes(*value);
  if (bytes && *bytes >= Bytes::unlimited()) {
    r.error(n.place, r.label() + " has no end: leave it out and it is measured, or give its peak");
  } else if (bytes && bytes->count > 0) {
    d.spec.memory = *bytes;
  } else if (bytes) {
    r.error(n.place, r.label() + " is 0: leave it out and it is measured, or give its peak");
  } else {
    r.expected(n, "a size such as 1.5GiB or 300MB");
  }
}

void take_devices(Reader& r, const Node& n, Draft& d) {
  std::vector<NamedBytes> devices;
  r.take(n, devices, true);
  for (NamedBytes& device : devices) {
    if (device.bytes == auto_device) {
      r.error(n.place, r.label() + ": " + quoted(device.name) +
                           " is `auto`, which only `memory.devices` can be: give what it takes");
      continue;
    }
    d.spec.devices.push_back({std::move(device.name), device.bytes});
  }
}

void take_positive(Reader& r, const Node& n, std::optional<Duration>& into) {
  Duration span{-1};
  r.take(n, span);
  if (span == Duration{0}) r.expected(n, "more than 0");
  if (span > Duration{0}) into = span;
}

bool is_path(Reader& r, const Node& n, const std::string& value) {
  if (value.starts_with('/')) return true;
  r.expected(n, "a path that begins with /");
  return false;
}

// Reading a probe: the section must hold one of its keys.
struct ProbeDraft {
  ReadyProbe probe;
  int count = 0;
};
using ProbeKey = Key<ProbeDraft>;

void set_probe(ProbeDraft& d, ReadyProbe::Kind kind, std::string value) {
  d.probe = {kind, std::move(value)};
  ++d.count;
}

void take_tcp(Reader& r, const Node& n, ProbeDraft& d) {
  if (n.is_scalar() && n.text == "true") {
    set_probe(d, ReadyProbe::Kind::tcp, "");
    return;
  }
  unsigned port = 0;
  r.take(n, port, 1, 65535);
  if (port > 0) set_probe(d, ReadyProbe::Kind::tcp, std::to_string(port));
}

constexpr std::array ready_keys{
    ProbeKey{{"http", Form::text, "", "", "Ready when a GET of this path is answered with 2xx."},
             [](Reader& r, const Node& n, ProbeDraft& d) {
               const auto value = r.text(n);
               if (!value || !is_path(r, n, *value)) return;
               set_probe(d, ReadyProbe::Kind::http, *value);
             }},
    ProbeKey{{"tcp", Form::text, "", "", "Ready when its port (`true`) or this port accepts."},
             take_tcp},
    ProbeKey{{"socket", Form::text, "", "", "Ready when the Unix socket at this path accepts."},
             [](Reader& r, const Node& n, ProbeDraft& d) {
               const auto value = r.text(n);
               if (value && value->empty()) r.expected(n, "a path");
               if (value && !value->empty()) set_probe(d, ReadyProbe::Kind::unix_socket, *value);
             }},
    ProbeKey{{"line", Form::text, "", "", "Ready when a line on its output holds this text."},
             [](Reader& r, const Node& n, ProbeDraft& d) {
               const auto value = r.text(n);
               if (value && value->empty()) r.expected(n, "a text to look for");
               if (value && !value->empty()) set_probe(d, ReadyProbe::Kind::stdout_line, *value);
             }},
    ProbeKey{{"notify", Form::boolean, "", "", "Ready when it says so by sd_notify."},
             [](Reader& r, const Node& n, ProbeDraft& d) {
               bool is_on = true;
               r.take(n, is_on);
               if (is_on) set_probe(d, ReadyProbe::Kind::notify, "");
             }},
};

void take_ready(Reader& r, const Node& n, Draft& d) {
  if (n.is_scalar()) {
    static constexpr std::array<std::string_view, 3> words{"started", "tcp", "notify"};
    static constexpr std::array kinds_of_words{ReadyProbe::Kind::started, ReadyProbe::Kind::tcp,
                                               ReadyProbe::Kind::notify};
    const auto index = r.choice(n, words);
    if (index) d.launch.ready = {kinds_of_words.at(*index), ""};
    return;
  }
  ProbeDraft probe;
  r.section<ProbeDraft>(n, ready_keys, probe);
  if (n.is_map() && n.items.size() != 1) {
    r.error(n.place, r.label() + " must hold exactly one of http, tcp, socket, line, notify");
  }
  if (probe.count > 0) d.launch.ready = std::move(probe.probe);
}

using WarmupKey = Key<Warmup>;
constexpr std::array warmup_keys{
    WarmupKey{{"path", Form::text, "", "", "What is asked for once it is ready."},
              [](Reader& r, const Node& n, Warmup& w) {
                const auto value = r.text(n);
                if (value && is_path(r, n, *value)) w.path = *value;
              }},
    WarmupKey{{"body", Form::text, "", "", "The body that is sent."},
              [](Reader& r, const Node& n, Warmup& w) { r.take(n, w.body); }},
    WarmupKey{{"method", Form::choice, "GET|POST|PUT", "POST", "The method."},
              [](Reader& r, const Node& n, Warmup& w) {
                static constexpr std::array<std::string_view, 3> names{"GET", "POST", "PUT"};
                const auto index = r.choice(n, names);
                if (index) w.method = names.at(*index);
              }},
};

void take_warmup(Reader& r, const Node& n, Draft& d) {
  Warmup warmup;
  if (n.is_scalar()) {
    const auto value = r.text(n);
    if (!value || !is_path(r, n, *value)) return;
    warmup.method = "GET";
    warmup.path = *value;
  } else {
    r.section<Warmup>(n, warmup_keys, warmup);
    if (n.is_map() && n.find("path") == nullptr) {
      r.error(n.place, r.label() + " needs a `path`");
    }
  }
  if (!warmup.path.empty()) d.launch.warmup = std::move(warmup);
}

void take_signal(Reader& r, const Node& n, StopRule& stop) {
  const auto value = r.text(n);
  if (!value) return;
  std::string_view name = *value;
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc{} && end == name.data() + name.size() && number >= 1 && number <= 64) {
    stop.signal = number;
    return;
  }
  if (name.starts_with("SIG")) name.remove_prefix(3);
  const auto found = std::ranges::find(signals, name, &SignalName::name);
  if (found != signals.end()) {
    stop.signal = found->number;
  } else {
    r.expected(n, "a signal such as TERM or INT");
  }
}

using StopKey = Key<StopRule>;
constexpr std::array stop_keys{
    StopKey{{"signal", Form::text, "", "TERM", "The signal that asks it to end."}, take_signal},
    StopKey{{"grace", Form::duration, "", "10s", "After this it is killed with all descendants."},
            [](Reader& r, const Node& n, StopRule& stop) { r.take(n, stop.grace); }},
    StopKey{{"path", Form::text, "", "none", "A POST goes there before the signal."},
            [](Reader& r, const Node& n, StopRule& stop) {
              const auto value = r.text(n);
              if (value && is_path(r, n, *value)) stop.path = *value;
            }},
    StopKey{{"cmd", Form::command, "", "none",
             "A command that ends it, run before the signal; of a unit: instead of the engine's."},
            [](Reader& r, const Node& n, StopRule& stop) { stop.argv = read_words(r, n, false); }},
};

using LimitKey = Key<ComponentLimits>;
constexpr std::array limits_keys{
    LimitKey{{"memory", Form::size, "", "none", "The kernel keeps it below this."},
             [](Reader& r, const Node& n, ComponentLimits& limits) {
               Bytes bytes;
               r.take(n, bytes);
               if (bytes.count > 0)
                 limits.memory_max = bytes;
               else if (n.is_scalar() && parse_bytes(n.text))
                 r.expected(n, "more than 0");
             }},
    LimitKey{{"cpus", Form::number, "", "none", "Share of CPUs: 1.5 is one and a half."},
             [](Reader& r, const Node& n, ComponentLimits& limits) {
               double cpus = 0;
               r.take(n, cpus, 0.01, 4096);
               if (cpus > 0) limits.cpus = cpus;
             }},
    LimitKey{{"pids", Form::whole, "", "none", "Processes and threads at most."},
             [](Reader& r, const Node& n, ComponentLimits& limits) {
               unsigned count = 0;
               r.take(n, count, 1, 4'194'304);
               if (count > 0) limits.pids_max = count;
             }},
};

void take_on_exit(Reader& r, const Node& n, Draft& d) {
  static constexpr std::array<std::string_view, 2> names{"end", "keep"};
  const auto index = r.choice(n, names);
  if (index) d.launch.on_exit = static_cast<OnExit>(*index);
}

void refuse(Reader& r, const Node& n, Draft&) {
  r.error(n.place, r.label() + " is not supported yet: drop the key");
}

constexpr std::array start_keys{
    DraftKey{{"kind", Form::choice, "process|http|unit|files", "process",
              "`process`: a command; `http`: a model of a server that runs by itself; `unit`: a "
              "service or container; `files`: files kept in memory."},
             take_kind},
    DraftKey{{"cmd", Form::command, "", "",
              "The command: a line, split by POSIX quoting without a shell, or a list of words. "
              "${PORT}, ${STATE_DIR} and ${env.X} are replaced after splitting."},
             [](Reader&, const Node& n, Draft& d) { d.command = &n; }},
    DraftKey{{"shell", Form::boolean, "", "false", "`cmd` is a line for /bin/sh -c."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.is_shell); }},
    DraftKey{{"port", Form::whole, "", "a free one each start", "The fixed port of its server."},
             take_port},
    DraftKey{{"ready", Form::text_or_section, "ready", "started",
              "When it is ready: one probe, or `started`, `tcp`, `notify`."},
             take_ready},
    DraftKey{{"warmup", Form::text_or_section, "warmup", "none",
              "A request that must be answered before it counts as ready; a text is a GET."},
             take_warmup},
    DraftKey{{"stop", Form::section, "stop", "", "How it is ended."},
             [](Reader& r, const Node& n, Draft& d) {
               r.section<StopRule>(n, stop_keys, d.launch.stop);
             }},
    DraftKey{{"env", Form::texts_by_name, "", "none", "Further environment variables."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.env); }},
    DraftKey{{"directory", Form::text, "", "its state folder", "Working directory."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.directory); }},
    DraftKey{{"files", Form::texts, "", "none", "Files that it reads: its models."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.files); }},
    DraftKey{{"limits", Form::section, "limits", "", "What the kernel enforces on it."},
             [](Reader& r, const Node& n, Draft& d) {
               r.section<ComponentLimits>(n, limits_keys, d.launch.limits);
             }},
    DraftKey{{"on_exit", Form::choice, "end|keep", "end",
              "When the daemon dies: `end` ends it within 2 s, `keep` lets a new daemon adopt it."},
             take_on_exit},
    DraftKey{{"timeout", Form::duration, "", "loading.timeout", "A longer load has failed."},
             [](Reader& r, const Node& n, Draft& d) { take_positive(r, n, d.spec.load_timeout); }},
};

constexpr std::array policy_keys{
    DraftKey{{"priority", Form::choice, "core|high|medium|low", "medium",
              "`core` is always resident; the others say who goes first."},
             take_priority},
    DraftKey{
        {"memory", Form::size, "", "learnt",
         "The most memory it takes, until it was measured in three lives; without it, what was "
         "measured counts."},
        take_memory},
    DraftKey{{"devices", Form::devices_by_name, "", "none",
              "What it takes of `memory.devices`; `exclusive` for one it has alone."},
             take_devices},
    DraftKey{{"pool", Form::text, "", "none", "The pool of `memory.pools` that it counts in."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.spec.pool); }},
    DraftKey{{"needs", Form::texts, "", "none", "Components that must be ready before it."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.spec.needs, &d.needs_at); }},
    DraftKey{
        {"conflicts", Form::texts, "", "none", "Components never resident beside it."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.spec.conflicts, &d.conflicts_at); }},
    DraftKey{{"lazy", Form::boolean, "", "true", "`false`: loaded at start, after core."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.spec.is_lazy); }},
    DraftKey{
        {"default", Form::boolean, "", "false", "It comes back when what displaced it goes idle."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.spec.is_default); }},
    DraftKey{{"ttl", Form::duration, "", "none", "Unloaded when idle for this long."},
             [](Reader& r, const Node& n, Draft& d) { take_positive(r, n, d.spec.ttl); }},
    DraftKey{{"hibernate", Form::boolean, "", "true",
              "It may be frozen and paged out while it is idle, where that pays."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.hibernates); }},
    DraftKey{{"versions", Form::refused, "", "", "Several versions of one component."}, refuse},
};

constexpr std::array word_keys{
    DraftKey{{"description", Form::text, "", "none", "What it does, for people."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.description); }},
    DraftKey{
        {"aliases", Form::texts, "", "none", "Further names, which may hold / and :."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.aliases, &d.aliases_at); }},
    DraftKey{{"concurrency", Form::whole, "", "no limit",
              "Requests of the gateway that it is given at a time; the others wait in order."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.concurrency, 1, 65536); }},
    DraftKey{{"keywords", Form::texts, "", "none", "Words and phrases of commands that need it."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.keywords); }},
    DraftKey{{"examples", Form::texts, "", "none", "Commands that need it."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.launch.examples); }},
};

constexpr std::size_t key_count =
    start_keys.size() + kind_key_count + policy_keys.size() + word_keys.size();

const std::array<DraftKey, key_count>& all_keys() {
  static const std::array<DraftKey, key_count> keys = [] {
    std::array<DraftKey, key_count> all{};
    auto next = std::ranges::copy(start_keys, all.begin()).out;
    next = std::ranges::copy(kind_keys(), next).out;
    next = std::ranges::copy(policy_keys, next).out;
    std::ranges::copy(word_keys, next);
    return all;
  }();
  return keys;
}

// ${NAME} that nothing will replace; a shell has its own.
void check_macros(Reader& r, ConfigPlace place, std::string_view text) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos;
       at = text.find("${", at + 2)) {
    const std::string_view name = text.substr(at + 2, text.find('}', at) - at - 2);
    if (name.starts_with("env.") || name == "PORT" || name == "STATE_DIR" || name == "PID") {
      continue;
    }
    const std::string macro = "${" + std::string{name.substr(0, 64)} + "}";
    r.warning(place, r.label() + ": " + quoted(macro) + " is not replaced: did you mean " +
                         quoted("${env." + macro.substr(2)) + "?");
  }
}

void read_command(Reader& r, Draft& d) {
  if (d.command == nullptr) {
    if (d.launch.kind == "process") r.error(d.place, r.label() + " is missing");
    return;
  }
  d.launch.argv = read_words(r, *d.command, d.launch.is_shell);
}

}  // namespace

std::vector<std::string> read_words(ConfigReader& r, const YamlNode& node, bool is_shell) {
  std::vector<std::string> words;
  if (node.is_list()) {
    if (is_shell) r.error(node.place, r.label() + " must be one line with `shell: true`");
    for (const Node& item : node.items) {
      if (auto word = r.raw_text(item)) words.push_back(std::move(*word));
    }
  } else if (auto line = r.raw_text(node)) {
    auto split =
        is_shell ? Result<std::vector<std::string>>{std::vector{*line}} : split_command(*line);
    if (!split) {
      r.error(node.place, r.label() + ": " + split.error().detail);
      return {};
    }
    words = std::move(*split);
  } else {
    return {};
  }
  std::vector<std::string> expanded_words;
  for (const std::string& word : words) {
    if (!is_shell) check_macros(r, node.place, word);
    if (auto expanded = r.expand(node.place, word)) expanded_words.push_back(std::move(*expanded));
  }
  if (words.empty() || words[0].empty()) r.error(node.place, r.label() + " is empty");
  return expanded_words;
}

void read_components(ConfigReader& reader, const YamlNode& node, ConfigDraft& draft) {
  if (node.is_null()) return;
  if (!node.is_map()) {
    reader.expected(node, "a section of components by name");
    return;
  }
  if (node.items.size() > components_max) {
    reader.error(node.place, "more than " + std::to_string(components_max) + " components");
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const YamlKey& key = node.keys[i];
    ComponentDraft component;
    component.place = key.place;
    component.spec.name = key.text;
    component.launch.name = key.text;
    reader.about(key.text.substr(0, 80), &component.places);
    if (!is_component_name(key.text)) {
      reader.error(key.place, "the name " + quoted(key.text) +
                                  " is not allowed: a letter or digit, then letters, digits and "
                                  ". _ -, 64 in all");
    }
    if (node.items[i].is_map()) {
      reader.section<ComponentDraft>(node.items[i], all_keys(), component);
      reader.about(key.text.substr(0, 80), nullptr, "cmd");
      read_command(reader, component);
      reader.about(key.text.substr(0, 80), nullptr);
      check_kind(reader, component);
      // Files that the kernel may take back cost no memory that others could want.
      const bool is_free = component.launch.kind == "files" && !component.launch.is_locked;
      if (is_free && !component.spec.memory) component.spec.memory = Bytes{0};
    } else {
      reader.error(key.place, quoted(key.text) + " must be a section with keys such as `cmd`");
    }
    component.command = nullptr;
    check_model_is_its_own(reader, draft, component);
    draft.components.push_back(std::move(component));
  }
  reader.about("", &draft.places);
}

std::vector<SectionText> component_sections() {
  std::vector<SectionText> sections{
      section_text("component", all_keys()), section_text("ready", ready_keys),
      section_text("warmup", warmup_keys), section_text("stop", stop_keys),
      section_text("limits", limits_keys)};
  for (SectionText& section : kind_sections()) sections.push_back(std::move(section));
  return sections;
}

}  // namespace hearth

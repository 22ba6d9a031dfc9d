// The file as a whole: its sections other than the components, and parse_config().
#include "codec/config.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "codec/config_reader.h"
#include "core/policy/eviction.h"

namespace hearth {
namespace {

using Reader = ConfigReader;
using Node = YamlNode;
using Draft = ConfigDraft;
using DraftKey = Key<ConfigDraft>;

constexpr std::array<std::string_view, 5> pressure_names{"low", "medium", "high", "critical",
                                                         "emergency"};

// "HOST:PORT", "[::1]:PORT" or a port alone.
struct Address {
  std::string host;
  unsigned port = 0;
};

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Address address{"127.0.0.1", 0};
  std::string_view port = text;
  if (colon != std::string_view::npos) {
    address.host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const bool is_bracketed = address.host.starts_with('[') && address.host.ends_with(']');
  const bool has_colon = address.host.find(':') != std::string::npos;
  if (address.host.empty() || (has_colon && !is_bracketed)) return std::nullopt;
  if (address.host.find_first_of(" /@\t") != std::string::npos) return std::nullopt;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc{} || end != port.data() + port.size() || address.port > 65535) {
    return std::nullopt;
  }
  return address;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

void take_http(Reader& r, const Node& n, Draft& d) {
  const auto value = r.text(n);
  if (!value) return;
  if (*value == "none") {
    d.config.listen_http.clear();
  } else if (const auto address = parse_address(*value)) {
    d.config.listen_http = address->host + ":" + std::to_string(address->port);
  } else {
    r.expected(n, "HOST:PORT such as 127.0.0.1:7411, or none");
  }
}

constexpr std::array listen_keys{
    DraftKey{
        {"http", Form::text, "", "127.0.0.1:7411",
         "HOST:PORT of the HTTP API, `none` for none; port 0 takes a free one. An address that "
         "is not loopback needs `api_key`."},
        take_http},
    DraftKey{
        {"socket", Form::text, "", "STATE/hearth.sock", "Path of the Unix socket (mode 0600)."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.listen_socket); }},
    DraftKey{{"hosts", Form::texts, "", "none",
              "Further names that the `Host` header may hold, beside the loopback ones."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.hosts); }},
    DraftKey{{"connections", Form::whole, "", "10000", "Clients connected at once, at most."},
             [](Reader& r, const Node& n, Draft& d) {
               unsigned count = 0;
               r.take(n, count, 1, 1'000'000);
               if (count > 0) d.config.connections_max = count;
             }},
};

constexpr std::array gateway_keys{
    DraftKey{{"patience", Form::duration, "", "2m",
              "A request for a component waits this long for it to be ready."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.gateway.patience); }},
    DraftKey{
        {"answer", Form::duration, "", "10m",
         "A component that has not begun to answer has failed."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.gateway.answer_time_max); }},
    DraftKey{
        {"keep_alive", Form::duration, "", "0s",
         "A stream whose component is being loaded gets a comment this often, so that its "
         "client does not give up; 0s: none."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.gateway.comment_interval); }},
    DraftKey{{"body", Form::size, "", "64MiB",
              "Of a body that names its `model` only behind what is large, so much is kept."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.gateway.kept_max); }},
};

void take_budget(Reader& r, const Node& n, Draft& d) {
  const auto value = n.is_scalar() ? r.text(n) : std::string{};
  if (!value) return;
  if (value->ends_with('%')) {
    double percent = 0;
    const char* last = value->data() + value->size() - 1;
    const auto [end, error] = std::from_chars(value->data(), last, percent);
    if (error == std::errc{} && end == last && percent > 0 && percent <= 100) {
      d.config.budget = BudgetShare{percent / 100};
      return;
    }
  } else if (const auto bytes = parse_bytes(*value); bytes && bytes->count > 0) {
    d.config.budget = *bytes;
    return;
  }
  r.expected(n, "a size such as 8GiB or a share such as 60%");
}

void take_unknown_memory(Reader& r, const Node& n, Draft& d) {
  Bytes bytes;
  r.take(n, bytes);
  if (bytes.count > 0)
    d.config.core.settings.unknown_memory = bytes;
  else if (n.is_scalar() && parse_bytes(n.text))
    r.expected(n, "more than 0");
}

constexpr std::array memory_keys{
    DraftKey{{"budget", Form::budget, "", "60%",
              "Memory that components may hold together: a size, or a share of min(MemTotal, the "
              "daemon's own cgroup limit)."},
             take_budget},
    DraftKey{{"reserve", Form::size, "", "0", "MemAvailable that is never to be used."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.reserve); }},
    DraftKey{{"yield", Form::boolean, "", "false",
              "Other programs come first: the budget shrinks as they grow, so that pressure stays "
              "low, and grows back."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.core.settings.yields); }},
    DraftKey{{"pools", Form::pools_by_name, "", "none",
              "Named sub-budgets of the memory. A size is soft: what it keeps for its members, who "
              "may borrow more while there is room; with `hard: true` it is a limit."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.core.settings.pools); }},
    DraftKey{{"devices", Form::devices_by_name, "", "none",
              "Other resources and their sizes, such as the memory of an accelerator; `exclusive` "
              "for one that a single component has at a time, `auto` for the size that the machine "
              "tells."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.resources, true);
             }},
    DraftKey{{"unknown", Form::size, "", "1GiB", "The same as `loading.unknown_memory`."},
             take_unknown_memory},
};

constexpr std::array loading_keys{
    DraftKey{{"parallel", Form::whole, "", "4", "Loads under way at once, at most."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.loads_parallel_max, 1, 256);
             }},
    DraftKey{
        {"timeout", Form::duration, "", "30s", "A load that takes longer has failed."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.core.settings.load_timeout); }},
    DraftKey{{"attempts", Form::whole, "", "4", "Attempts at a load: the first and the retries."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.load_attempts_max, 1, 100);
             }},
    DraftKey{
        {"retry_delay", Form::duration, "", "1s",
         "Time before the first retry; it doubles with each further one."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.core.settings.retry_delay); }},
    DraftKey{{"unknown_memory", Form::size, "", "1GiB",
              "Reserved for a component whose memory was neither declared nor ever measured."},
             take_unknown_memory},
};

template <Priority priority>
void take_idle(Reader& r, const Node& n, Draft& d) {
  r.take(n, d.config.core.settings.idle_limits.at(static_cast<std::size_t>(priority)));
}
template <Priority priority>
void take_objective(Reader& r, const Node& n, Draft& d) {
  r.take(n, d.config.core.settings.wait_objectives.at(static_cast<std::size_t>(priority)));
}
template <Pressure level>
void take_pressure(Reader& r, const Node& n, Draft& d) {
  r.take(n, d.config.core.settings.pressure.below.at(static_cast<std::size_t>(level) - 1));
  d.config.is_pressure_scaled = false;
}

constexpr std::array idle_keys{
    DraftKey{{"from", Form::choice, "low|medium|high|critical|emergency", "medium",
              "The pressure from which idle limits act; `low` is always."},
             [](Reader& r, const Node& n, Draft& d) {
               const auto index = r.choice(n, pressure_names);
               if (index) d.config.core.settings.idle_from = static_cast<Pressure>(*index);
             }},
    DraftKey{{"high", Form::duration, "", "5m", "Idle limit of components of priority high."},
             take_idle<Priority::high>},
    DraftKey{{"medium", Form::duration, "", "2m", "Idle limit of priority medium."},
             take_idle<Priority::medium>},
    DraftKey{{"low", Form::duration, "", "1m", "Idle limit of priority low."},
             take_idle<Priority::low>},
};

constexpr std::array power_keys{
    DraftKey{{"battery_below", Form::number, "", "0.2",
              "On battery and charged less than this (0 to 1), nothing is loaded ahead and what "
              "hibernates stays so; 0: never."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.battery_below, 0, 1);
             }},
};

constexpr std::array pressure_keys{
    DraftKey{{"medium", Form::size, "", "4GiB", "Available memory below which it is medium."},
             take_pressure<Pressure::medium>},
    DraftKey{{"high", Form::size, "", "2GiB", "Available memory below which it is high."},
             take_pressure<Pressure::high>},
    DraftKey{{"critical", Form::size, "", "1GiB", "Available memory below which it is critical."},
             take_pressure<Pressure::critical>},
    DraftKey{{"emergency", Form::size, "", "512MiB", "Available memory below which it is one."},
             take_pressure<Pressure::emergency>},
    DraftKey{{"stall", Form::number, "", "0.1",
              "The share of the time that programs wait for memory at which it is high (medium at "
              "half of it, critical at 2.5 times, emergency at 5 times); 0: not looked at."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.pressure.stall, 0, 1);
             }},
    DraftKey{{"swap", Form::size, "", "64MiB",
              "The same of the traffic with the swap, a second, in and out; 0: not looked at."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.pressure.swap);
             }},
};

constexpr std::array objectives_keys{
    DraftKey{{"core", Form::duration, "", "100ms", "Wait objective of priority core."},
             take_objective<Priority::core>},
    DraftKey{{"high", Form::duration, "", "100ms", "Wait objective of priority high."},
             take_objective<Priority::high>},
    DraftKey{{"medium", Form::duration, "", "500ms", "Wait objective of priority medium."},
             take_objective<Priority::medium>},
    DraftKey{{"low", Form::duration, "", "2s", "Wait objective of priority low."},
             take_objective<Priority::low>},
};

constexpr std::array history_keys{
    DraftKey{{"text", Form::choice, "keep|features|none", "features",
              "What is kept of a command's text: all, hashed features, or nothing."},
             [](Reader& r, const Node& n, Draft& d) {
               static constexpr std::array<std::string_view, 3> names{"keep", "features", "none"};
               const auto index = r.choice(n, names);
               if (index) d.config.history_text = static_cast<Config::HistoryText>(*index);
             }},
    DraftKey{
        {"days", Form::whole, "", "30", "Days that the history goes back."},
        [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.history_days, 1, 36500); }},
    DraftKey{{"size", Form::size, "", "256MiB", "Size that the history may have on disk."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.history_size_max); }},
};

constexpr std::array journal_keys{
    DraftKey{{"sync", Form::choice, "always|never", "never",
              "`always`: what was acknowledged survives a power failure too, at the cost of a disk "
              "flush each; `never`: it survives a crash of the daemon."},
             [](Reader& r, const Node& n, Draft& d) {
               static constexpr std::array<std::string_view, 2> names{"never", "always"};
               const auto index = r.choice(n, names);
               if (index) d.config.is_journal_synced = *index == 1;
             }},
};

constexpr std::array log_keys{
    DraftKey{{"level", Form::choice, "error|warn|info|debug", "info", "The least that is logged."},
             [](Reader& r, const Node& n, Draft& d) {
               static constexpr std::array<std::string_view, 4> names{"error", "warn", "info",
                                                                      "debug"};
               const auto index = r.choice(n, names);
               if (index) d.config.log_level = names.at(*index);
             }},
    DraftKey{{"format", Form::choice, "text|json", "text", "A line a person reads, or JSON."},
             [](Reader& r, const Node& n, Draft& d) {
               static constexpr std::array<std::string_view, 2> names{"text", "json"};
               const auto index = r.choice(n, names);
               if (index) d.config.log_format = names.at(*index);
             }},
};

constexpr std::array learning_keys{
    DraftKey{{"window", Form::duration, "", "1m",
              "A lease this long after a command is evidence of what the command needed."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.learning_window);
             }},
};

constexpr std::array intent_keys{
    DraftKey{
        {"threshold", Form::number, "", "0.5", "Probability from which a component is demanded."},
        [](Reader& r, const Node& n, Draft& d) {
          r.take(n, d.config.core.settings.threshold, 0, 1);
        }},
    DraftKey{{"preload_threshold", Form::number, "", "0.25",
              "Probability from which a component is loaded ahead."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.preload_threshold, 0, 1);
             }},
};

constexpr std::array preload_keys{
    DraftKey{{"expiry", Form::duration, "", "1m",
              "A component that was loaded ahead and not used goes after this."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.preload_expiry);
             }},
};

void take_policy(Reader& r, const Node& n, Draft& d) {
  const auto value = r.text(n);
  if (!value) return;
  const auto policies = eviction_policies();
  std::vector<std::string> names;
  for (const NamedEvictionPolicy& each : policies) names.emplace_back(each.name);
  if (!names.empty() && std::ranges::find(names, *value) == names.end()) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    r.expected(n, "one of " + all);
    return;
  }
  d.config.core.settings.policy = *value;
}

template <const auto& keys>
void take_section(Reader& r, const Node& n, Draft& d) {
  r.section<ConfigDraft>(n, keys, d);
}

constexpr std::array root_keys{
    DraftKey{{"listen", Form::section, "listen", "", "Where the API listens."},
             take_section<listen_keys>},
    DraftKey{{"gateway", Form::section, "gateway", "", "How requests are passed on to components."},
             take_section<gateway_keys>},
    DraftKey{{"api_key", Form::text, "", "none",
              "Required of every client as a bearer token; needed when not on loopback."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.api_key); }},
    DraftKey{{"state", Form::text, "", "$XDG_STATE_HOME/hearth, /var/lib/hearth for root",
              "Folder of the journal, the history, logs and sockets."},
             [](Reader& r, const Node& n, Draft& d) { r.take(n, d.config.state_dir); }},
    DraftKey{{"memory", Form::section, "memory", "", "How much may be held."},
             take_section<memory_keys>},
    DraftKey{{"loading", Form::section, "loading", "", "How components are brought up."},
             take_section<loading_keys>},
    DraftKey{{"idle", Form::section, "idle", "", "How long what nobody uses may stay."},
             take_section<idle_keys>},
    DraftKey{{"pressure", Form::section, "pressure", "",
              "Available memory at which each level of pressure begins."},
             take_section<pressure_keys>},
    DraftKey{{"power", Form::section, "power", "", "What is different on battery."},
             take_section<power_keys>},
    DraftKey{{"objectives", Form::section, "objectives", "",
              "The wait that each priority should stay under; the share met is shown."},
             take_section<objectives_keys>},
    DraftKey{{"history", Form::section, "history", "", "What is kept of commands."},
             take_section<history_keys>},
    DraftKey{{"journal", Form::section, "journal", "", "How events are written down."},
             take_section<journal_keys>},
    DraftKey{{"log", Form::section, "log", "", "The daemon's own log."}, take_section<log_keys>},
    DraftKey{{"learning", Form::section, "learning", "", "What counts as evidence of use."},
             take_section<learning_keys>},
    DraftKey{{"intent", Form::section, "intent", "", "When a command's text asks for something."},
             take_section<intent_keys>},
    DraftKey{{"preload", Form::section, "preload", "", "Loading ahead."},
             take_section<preload_keys>},
    DraftKey{{"policy", Form::text, "", "gdsf",
              "The eviction policy: `lru`, `gdsf`, `lfu` or `hybrid`."},
             take_policy},
    DraftKey{{"drain", Form::duration, "", "10s", "A shutdown waits this long for leases."},
             [](Reader& r, const Node& n, Draft& d) {
               r.take(n, d.config.core.settings.drain_time_max);
             }},
    DraftKey{
        {"components", Form::sections_by_name, "component", "none", "What can be loaded, by name."},
        read_components},
};

ConfigPlace place_of(const Draft& draft, const std::string& key) {
  const auto found = draft.places.find(key);
  return found == draft.places.end() ? ConfigPlace{} : found->second;
}

// What two keys of the sections say against each other.
void check_settings(Reader& reader, const Draft& draft) {
  const Settings& settings = draft.config.core.settings;
  if (settings.preload_threshold > settings.threshold) {
    reader.error(place_of(draft, "intent.preload_threshold"),
                 "`intent.preload_threshold` must not be above `intent.threshold`");
  }
  for (std::size_t i = 1; i < settings.pressure.below.size(); ++i) {
    if (settings.pressure.below.at(i) <= settings.pressure.below.at(i - 1)) continue;
    const std::string key = "pressure." + std::string{pressure_names.at(i + 1)};
    reader.error(place_of(draft, key), "`" + key + "` must not be above `pressure." +
                                           std::string{pressure_names.at(i)} + "`");
  }
  if (settings.load_timeout == Duration{0}) {
    reader.error(place_of(draft, "loading.timeout"), "`loading.timeout` must be more than 0");
  }
  const bool is_twice =
      draft.places.contains("memory.unknown") && draft.places.contains("loading.unknown_memory");
  if (is_twice) {
    reader.error(place_of(draft, "memory.unknown"),
                 "`memory.unknown` and `loading.unknown_memory` are the same: keep one");
  }
  const auto address = parse_address(draft.config.listen_http);
  if (address && !is_loopback(address->host) && draft.config.api_key.empty()) {
    reader.error(place_of(draft, "listen.http"),
                 "`listen.http` is reachable from outside of this machine: set `api_key`");
  }
  if (draft.places.contains("api_key") && draft.config.api_key.empty()) {
    reader.error(place_of(draft, "api_key"), "`api_key` is empty: give one or drop the key");
  }
  const auto* budget = std::get_if<Bytes>(&draft.config.budget);
  for (const PoolSpec& pool : settings.pools) {
    if (budget == nullptr || pool.bytes <= *budget) continue;
    reader.warning(place_of(draft, "memory.pools"),
                   "`memory.pools`: " + quoted(pool.name) + " is larger than the budget");
  }
}

ParsedConfig assemble(ConfigDraft draft, std::vector<ConfigProblem> problems) {
  ParsedConfig parsed;
  const auto value_place = [](const ComponentDraft& component, const std::string& key) {
    const auto found = component.places.find(key);
    return found == component.places.end() ? component.place : found->second;
  };
  for (ComponentDraft& component : draft.components) {
    component.spec.revision = revision_of(component.launch);
    parsed.places.push_back({.name = component.place,
                             .command = value_place(component, "cmd"),
                             .memory = value_place(component, "memory"),
                             .devices = value_place(component, "devices"),
                             .directory = value_place(component, "directory"),
                             .files = value_place(component, "files")});
    draft.config.core.components.push_back(std::move(component.spec));
    draft.config.launches.push_back(std::move(component.launch));
  }
  draft.config.core.settings.budget = Bytes{};
  parsed.draft = std::move(draft.config);
  parsed.section_places = std::move(draft.places);
  parsed.problems = std::move(problems);
  for (ConfigProblem& each : check_shares(parsed)) parsed.problems.push_back(std::move(each));
  if (const auto* budget = std::get_if<Bytes>(&parsed.draft.budget)) {
    for (ConfigProblem& each : check_budget(parsed, *budget)) {
      parsed.problems.push_back(std::move(each));
    }
  }
  std::ranges::sort(parsed.problems, {}, [](const ConfigProblem& problem) {
    return std::tuple<int, int, std::string_view>{problem.line, problem.column, problem.message};
  });
  if (std::ranges::none_of(parsed.problems, &ConfigProblem::is_error)) parsed.config = parsed.draft;
  return parsed;
}

}  // namespace

ParsedConfig parse_config(std::string_view text, std::string path, const Environment& environment) {
  YamlTree tree = read_yaml(text);
  ConfigDraft draft;
  draft.config.path = std::move(path);
  ConfigReader reader{environment, tree.problems};
  if (tree.root) {
    reader.about("", &draft.places);
    if (tree.root->is_map() || tree.root->is_null()) {
      reader.section<ConfigDraft>(*tree.root, root_keys, draft);
    } else {
      reader.error(tree.root->place, "expected keys such as `memory:` and `components:`");
    }
    reader.about("", nullptr);
    check_settings(reader, draft);
    check_draft(reader, draft);
  }
  return assemble(std::move(draft), std::move(tree.problems));
}

namespace {

constexpr std::array<std::string_view, 3> door_keys{"state", "listen", "api_key"};

// Of a file that is no YAML as a whole: the blocks of the keys that say where the daemon is.
std::string door_blocks(std::string_view text) {
  std::string kept;
  bool is_kept = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    const bool is_inner = line.find_first_of(" \t\r\n#}]") == 0;
    if (!is_inner) {
      is_kept = std::ranges::any_of(door_keys, [line](std::string_view key) {
        return line.starts_with(key) && line.substr(key.size()).starts_with(':');
      });
    }
    if (is_kept) kept += line;
    text.remove_prefix(line.size());
  }
  return kept;
}

}  // namespace

LenientConfig read_leniently(std::string_view text, std::string path,
                             const Environment& environment) {
  LenientConfig lenient{.config = parse_config(text, std::move(path), environment).draft};
  YamlTree tree = read_yaml(text);
  const bool is_yaml = tree.root.has_value();
  if (!is_yaml) tree = read_yaml(door_blocks(text));
  lenient.is_certain = tree.root && (tree.root->is_null() || tree.root->is_map());
  if (!tree.root || !tree.root->is_map()) {
    lenient.is_certain = lenient.is_certain && is_yaml;
    return lenient;
  }
  YamlNode doors{.kind = YamlNode::Kind::map, .place = {}, .text = {}, .keys = {}, .items = {}};
  for (std::size_t i = 0; i < tree.root->keys.size(); ++i) {
    if (std::ranges::find(door_keys, tree.root->keys[i].text) == door_keys.end()) continue;
    doors.keys.push_back(tree.root->keys[i]);
    doors.items.push_back(tree.root->items[i]);
  }
  std::vector<ConfigProblem> problems;
  ConfigReader reader{environment, problems};
  ConfigDraft draft;
  draft.config = std::move(lenient.config);
  draft.config.hosts.clear();  // read once more
  reader.section<ConfigDraft>(doors, root_keys, draft);
  lenient.config = std::move(draft.config);
  lenient.is_certain = problems.empty() && (is_yaml || !lenient.config.state_dir.empty());
  return lenient;
}

Configuration resolve_budget(const Config& config, Bytes memory_total) {
  Configuration resolved = config.core;
  if (const auto* share = std::get_if<BudgetShare>(&config.budget)) {
    const double bytes = static_cast<double>(memory_total.count) * share->share;
    resolved.settings.budget = Bytes{static_cast<std::uint64_t>(bytes)};
  } else {
    resolved.settings.budget = std::get<Bytes>(config.budget);
  }
  // The defaults are those of 16 GiB; below it they are shares of what there is.
  if (config.is_pressure_scaled && memory_total < 16_GiB) {
    for (Bytes& below : resolved.settings.pressure.below) {
      below = Bytes{memory_total.count / ((16_GiB).count / below.count)};
    }
  }
  return resolved;
}

std::string to_text(const ConfigProblem& problem, std::string_view path) {
  std::string text{path};
  if (problem.line > 0) {
    text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  }
  return text + (problem.is_error ? ": error: " : ": warning: ") + problem.message;
}

std::vector<SectionText> config_sections() {
  std::vector<SectionText> sections{section_text("", root_keys),
                                    section_text("listen", listen_keys),
                                    section_text("gateway", gateway_keys),
                                    section_text("memory", memory_keys),
                                    section_text("loading", loading_keys),
                                    section_text("idle", idle_keys),
                                    section_text("pressure", pressure_keys),
                                    section_text("power", power_keys),
                                    section_text("objectives", objectives_keys),
                                    section_text("history", history_keys),
                                    section_text("journal", journal_keys),
                                    section_text("log", log_keys),
                                    section_text("learning", learning_keys),
                                    section_text("intent", intent_keys),
                                    section_text("preload", preload_keys)};
  for (SectionText& section : component_sections()) sections.push_back(std::move(section));
  return sections;
}

}  // namespace hearth

#include "codec/config_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "codec/config_reader.h"
#include "codec/yaml_text.h"

namespace hearth {
namespace {

constexpr std::array<std::string_view, 3> history_names{"keep", "features", "none"};

using Section = YamlSection;

// Short names for what nearly every line here says.
std::string scalar(std::string_view value) { return yaml_scalar(value); }
std::string text(std::string_view value) { return yaml_text(value); }
std::string list(const std::vector<std::string>& items) { return yaml_texts(items); }
std::string size(Bytes bytes) { return yaml_size(bytes); }
std::string duration(Duration span) { return yaml_duration(span); }

std::string number(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

std::string percent(double share) {
  double value = share * 100;
  for (const double candidate : {value, std::nextafter(value, 0.0), std::nextafter(value, 101.0)}) {
    if (candidate / 100 == share) value = candidate;
  }
  return number(value) + "%";
}

std::string truth(bool value) { return value ? "true" : "false"; }

void add_sizes(Section& section, std::string_view key, const std::vector<NamedBytes>& sizes) {
  if (sizes.empty()) return;
  Section inner = section.open(key);
  for (const NamedBytes& each : sizes) {
    inner.add(each.name, each.bytes == exclusive_device ? "exclusive"
                         : each.bytes == auto_device    ? "auto"
                                                        : size(each.bytes));
  }
}

void add_daemon(Section& root, const Config& config) {
  Section listen = root.open("listen");
  listen.add("http", config.listen_http.empty() ? "none" : scalar(config.listen_http));
  if (!config.listen_socket.empty()) listen.add("socket", text(config.listen_socket));
  if (!config.hosts.empty()) listen.add("hosts", list(config.hosts));
  listen.add("connections", std::to_string(config.connections_max));
  Section gateway = root.open("gateway");
  gateway.add("patience", duration(config.gateway.patience));
  gateway.add("answer", duration(config.gateway.answer_time_max));
  gateway.add("keep_alive", duration(config.gateway.comment_interval));
  gateway.add("body", size(config.gateway.kept_max));
  if (!config.api_key.empty()) root.add("api_key", "\"***\"");
  if (!config.state_dir.empty()) root.add("state", text(config.state_dir));
  Section history = root.open("history");
  history.add("text", std::string{history_names.at(static_cast<std::size_t>(config.history_text))});
  history.add("days", std::to_string(config.history_days));
  history.add("size", size(config.history_size_max));
  root.open("journal").add("sync", config.is_journal_synced ? "always" : "never");
  Section log = root.open("log");
  log.add("level", config.log_level);
  log.add("format", config.log_format);
}

void add_memory(Section& root, const Config& config) {
  const Settings& settings = config.core.settings;
  Section memory = root.open("memory");
  const auto* share = std::get_if<BudgetShare>(&config.budget);
  memory.add("budget",
             share != nullptr ? percent(share->share) : size(std::get<Bytes>(config.budget)));
  memory.add("reserve", size(config.reserve));
  if (config.core.settings.yields) memory.add("yield", "true");
  // A pool of one byte is no device: its size is printed as it is.
  if (!settings.pools.empty()) {
    Section pools = memory.open("pools");
    for (const PoolSpec& pool : settings.pools) {
      pools.add(pool.name,
                pool.is_hard ? "{size: " + size(pool.bytes) + ", hard: true}" : size(pool.bytes));
    }
  }
  add_sizes(memory, "devices", settings.resources);
  Section loading = root.open("loading");
  loading.add("parallel", std::to_string(settings.loads_parallel_max));
  loading.add("timeout", duration(settings.load_timeout));
  loading.add("attempts", std::to_string(settings.load_attempts_max));
  loading.add("retry_delay", duration(settings.retry_delay));
  loading.add("unknown_memory", size(settings.unknown_memory));
}

void add_rules(Section& root, const Settings& settings, bool is_pressure_scaled) {
  static constexpr std::array priorities{Priority::core, Priority::high, Priority::medium,
                                         Priority::low};
  Section idle = root.open("idle");
  idle.add("from", std::string{name_of(settings.idle_from)});
  for (const Priority priority : {Priority::high, Priority::medium, Priority::low}) {
    const auto index = static_cast<std::size_t>(priority);
    idle.add(name_of(priority), duration(settings.idle_limits.at(index)));
  }
  Section pressure = root.open("pressure");
  for (unsigned level = 1; level < limit_of(Pressure{}) && !is_pressure_scaled; ++level) {
    pressure.add(name_of(static_cast<Pressure>(level)),
                 size(settings.pressure.below.at(level - 1)));
  }
  pressure.add("stall", number(settings.pressure.stall));
  pressure.add("swap", size(settings.pressure.swap));
  root.open("power").add("battery_below", number(settings.battery_below));
  Section learning = root.open("learning");
  learning.add("window", duration(settings.learning_window));
  Section intent = root.open("intent");
  intent.add("threshold", number(settings.threshold));
  intent.add("preload_threshold", number(settings.preload_threshold));
  root.open("preload").add("expiry", duration(settings.preload_expiry));
  root.add("policy", text(settings.policy));
  root.add("drain", duration(settings.drain_time_max));
  Section objectives = root.open("objectives");
  for (const Priority priority : priorities) {
    const auto index = static_cast<std::size_t>(priority);
    objectives.add(name_of(priority), duration(settings.wait_objectives.at(index)));
  }
}

void add_ready(Section& component, const ReadyProbe& ready) {
  switch (ready.kind) {
    case ReadyProbe::Kind::started:
      component.add("ready", "started");
      break;
    case ReadyProbe::Kind::http:
      component.open("ready").add("http", text(ready.value));
      break;
    case ReadyProbe::Kind::tcp:
      component.open("ready").add("tcp", ready.value.empty() ? "true" : ready.value);
      break;
    case ReadyProbe::Kind::unix_socket:
      component.open("ready").add("socket", text(ready.value));
      break;
    case ReadyProbe::Kind::stdout_line:
      component.open("ready").add("line", text(ready.value));
      break;
    case ReadyProbe::Kind::notify:
      component.add("ready", "notify");
      break;
  }
}

void add_limits(Section& component, const ComponentLimits& limits) {
  if (limits == ComponentLimits{}) return;
  Section section = component.open("limits");
  if (limits.memory_max) section.add("memory", size(*limits.memory_max));
  if (limits.cpus) section.add("cpus", number(*limits.cpus));
  if (limits.pids_max) section.add("pids", std::to_string(*limits.pids_max));
}

void add_stop(Section& component, const StopRule& rule) {
  Section stop = component.open("stop");
  stop.add("signal", std::to_string(rule.signal));
  stop.add("grace", duration(rule.grace));
  if (!rule.path.empty()) stop.add("path", text(rule.path));
  if (!rule.argv.empty()) stop.add("cmd", list(rule.argv));
}

void add_request(Section& component, std::string_view key, const ServerRequest& request) {
  if (request.path.empty()) return;
  Section section = component.open(key);
  section.add("method", request.method);
  section.add("path", text(request.path));
  if (!request.body.empty()) section.add("body", text(request.body));
}

void add_text(Section& section, std::string_view key, const std::string& value) {
  if (!value.empty()) section.add(key, text(value));
}

void add_server(Section& component, const ServerSpec& server) {
  add_text(component, "url", server.url);
  add_text(component, "preset", server.preset);
  add_text(component, "model", server.model);
  add_request(component, "load", server.load);
  add_request(component, "unload", server.unload);
  const ServerStatus& status = server.status;
  if (status.path.empty()) return;
  Section section = component.open("status");
  section.add("path", text(status.path));
  add_text(section, "list", status.list);
  add_text(section, "name", status.name);
  add_text(section, "state", status.state);
  if (!status.loaded.empty()) section.add("loaded", list(status.loaded));
  add_text(section, "size", status.size);
  add_text(section, "device_size", status.device_size);
}

// What only some kinds have.
void add_kind(Section& component, const Launch& launch) {
  if (launch.instances > 1) component.add("instances", std::to_string(launch.instances));
  if (!launch.before.empty()) component.add("before", list(launch.before));
  if (!launch.after.empty()) component.add("after", list(launch.after));
  if (launch.is_locked) component.add("lock", "true");
  if (launch.kind == "http") add_server(component, launch.server);
  if (launch.kind != "unit") return;
  add_text(component, "unit", launch.unit.unit);
  if (launch.unit.is_of_user) component.add("user", "true");
  add_text(component, "container", launch.unit.container);
  add_text(component, "engine", launch.unit.engine);
}

void add_launch(Section& component, const Launch& launch) {
  component.add("kind", launch.kind);
  if (!launch.argv.empty()) {
    component.add("cmd", launch.is_shell ? text(launch.argv[0]) : list(launch.argv));
  }
  if (launch.is_shell) component.add("shell", "true");
  if (launch.port) component.add("port", std::to_string(*launch.port));
  add_ready(component, launch.ready);
  if (launch.warmup) {
    Section warmup = component.open("warmup");
    warmup.add("method", launch.warmup->method);
    warmup.add("path", text(launch.warmup->path));
    if (!launch.warmup->body.empty()) warmup.add("body", text(launch.warmup->body));
  }
  if (launch.kind == "process" || launch.kind == "unit") add_stop(component, launch.stop);
  add_kind(component, launch);
  if (!launch.env.empty()) {
    Section env = component.open("env");
    for (const auto& [name, value] : launch.env) {
      env.add(name, is_secret_name(name) ? "\"***\"" : text(value));
    }
  }
  if (!launch.directory.empty()) component.add("directory", text(launch.directory));
  if (!launch.files.empty()) component.add("files", list(launch.files));
  add_limits(component, launch.limits);
  if (launch.kind == "process")
    component.add("on_exit", launch.on_exit == OnExit::end ? "end" : "keep");
  if (!launch.description.empty()) component.add("description", text(launch.description));
  if (!launch.aliases.empty()) component.add("aliases", list(launch.aliases));
  component.add("hibernate", truth(launch.hibernates));
  if (launch.concurrency > 0) component.add("concurrency", std::to_string(launch.concurrency));
  if (!launch.keywords.empty()) component.add("keywords", list(launch.keywords));
  if (!launch.examples.empty()) component.add("examples", list(launch.examples));
}

void add_spec(Section& component, const Spec& spec) {
  component.add("priority", std::string{name_of(spec.priority)});
  if (spec.memory && *spec.memory > Bytes{}) component.add("memory", size(*spec.memory));
  if (!spec.devices.empty()) {
    Section devices = component.open("devices");
    for (const ResourceNeed& need : spec.devices) {
      devices.add(need.resource, need.bytes == exclusive_device ? "exclusive" : size(need.bytes));
    }
  }
  if (!spec.pool.empty()) component.add("pool", text(spec.pool));
  if (!spec.needs.empty()) component.add("needs", list(spec.needs));
  if (!spec.conflicts.empty()) component.add("conflicts", list(spec.conflicts));
  component.add("lazy", truth(spec.is_lazy));
  component.add("default", truth(spec.is_default));
  if (spec.ttl) component.add("ttl", duration(*spec.ttl));
  if (spec.load_timeout) component.add("timeout", duration(*spec.load_timeout));
}

}  // namespace

bool is_secret_name(std::string_view name) {
  std::string upper{name};
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  static constexpr std::array<std::string_view, 4> words{"KEY", "TOKEN", "SECRET", "PASSWORD"};
  return std::ranges::any_of(
      words, [&](std::string_view word) { return upper.find(word) != std::string::npos; });
}

std::string to_yaml(const Config& config) {
  std::string out;
  Section root{out, 0};
  add_daemon(root, config);
  add_memory(root, config);
  add_rules(root, config.core.settings, config.is_pressure_scaled);
  if (config.launches.empty()) return out;
  Section components = root.open("components");
  for (std::size_t i = 0; i < config.launches.size(); ++i) {
    Section component = components.open(config.launches[i].name);
    add_launch(component, config.launches[i]);
    add_spec(component, config.core.components[i]);
  }
  return out;
}

}  // namespace hearth

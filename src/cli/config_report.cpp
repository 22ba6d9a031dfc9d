#include "cli/config_report.h"

#include <sstream>

#include "cli/places.h"

namespace hearth {
namespace {

// Where `name:` stands in the file, from the line of `components:` on; 0 when it is not found.
void place(ConfigProblem& problem, std::string_view text, const std::string& name) {
  std::istringstream lines{std::string{text}};
  int number = 0;
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("components:")) is_inside = true;
    const std::size_t begin = line.find_first_not_of(" \"'");
    if (!is_inside || begin == std::string::npos || begin == 0) continue;
    const std::string_view rest = std::string_view{line}.substr(begin);
    if (!rest.starts_with(name)) continue;
    const std::string_view after = rest.substr(name.size());
    if (after.starts_with(":") || after.starts_with("\":") || after.starts_with("':")) {
      problem.line = number;
      problem.column = static_cast<int>(begin) + 1;
      return;
    }
  }
}

Environment with_own_path(const Launch& launch, const Environment& environment) {
  const auto path = launch.env.find("PATH");
  if (path == launch.env.end()) return environment;
  return [own = path->second, environment](const std::string& name) {
    return name == "PATH" ? std::optional{own} : environment(name);
  };
}

std::string probe_text(const ReadyProbe& probe) {
  switch (probe.kind) {
    case ReadyProbe::Kind::started: return "started";
    case ReadyProbe::Kind::http: return "http " + probe.value;
    case ReadyProbe::Kind::tcp: return "tcp " + probe.value;
    case ReadyProbe::Kind::unix_socket: return "socket " + probe.value;
    case ReadyProbe::Kind::stdout_line: return "line " + probe.value;
    case ReadyProbe::Kind::notify: return "notify";
  }
  return "";
}

std::string history_text(Config::HistoryText kept) {
  switch (kept) {
    case Config::HistoryText::keep: return "keep";
    case Config::HistoryText::features: return "features";
    case Config::HistoryText::none: return "none";
  }
  return "";
}

OrderedJson component_json(const Spec& spec, const Launch& launch) {
  OrderedJson json{{"kind", launch.kind},
                   {"cmd", launch.argv},
                   {"shell", launch.is_shell},
                   {"priority", std::string{name_of(spec.priority)}},
                   {"memory_bytes", nullptr},
                   {"ready", probe_text(launch.ready)},
                   {"needs", spec.needs},
                   {"conflicts", spec.conflicts},
                   {"pool", spec.pool},
                   {"lazy", spec.is_lazy},
                   {"default", spec.is_default},
                   {"aliases", launch.aliases},
                   {"keywords", launch.keywords},
                   {"examples", launch.examples},
                   {"description", launch.description},
                   {"stop_signal", launch.stop.signal},
                   {"stop_grace_ms", launch.stop.grace / 1ms},
                   {"on_exit", launch.on_exit == OnExit::keep ? "keep" : "end"}};
  if (spec.memory) json["memory_bytes"] = spec.memory->count;
  if (spec.ttl) json["ttl_ms"] = *spec.ttl / 1ms;
  if (launch.port) json["port"] = *launch.port;
  for (const ResourceNeed& need : spec.devices) json["devices"][need.resource] = need.bytes.count;
  return json;
}

}  // namespace

std::vector<ConfigProblem> missing_programs(const Config& config, std::string_view text,
                                            const Environment& environment) {
  std::vector<ConfigProblem> problems;
  for (const Launch& launch : config.launches) {
    if (launch.is_shell || launch.argv.empty()) continue;
    const std::string& program = launch.argv.front();
    const bool is_relative = !program.starts_with('/') && program.find('/') != std::string::npos;
    if (program.find("${") != std::string::npos || is_relative) continue;
    if (!find_program(program, with_own_path(launch, environment)).empty()) continue;
    ConfigProblem problem{.is_error = false};
    problem.message = launch.name + ": there is no program `" + program +
                      "`: install it, or give its whole path in `cmd`";
    place(problem, text, launch.name);
    problems.push_back(std::move(problem));
  }
  return problems;
}

OrderedJson problem_json(const ConfigProblem& problem) {
  return {{"severity", problem.is_error ? "error" : "warning"},
          {"line", problem.line},
          {"column", problem.column},
          {"message", problem.message}};
}

OrderedJson config_json(const Config& config, const std::string& state_dir) {
  const Settings& settings = config.core.settings;
  OrderedJson json{
      {"path", config.path},
      {"listen", {{"http", config.listen_http}, {"socket", config.listen_socket}}},
      {"has_api_key", !config.api_key.empty()},
      {"state_dir", state_dir},
      {"policy", settings.policy},
      {"reserve_bytes", config.reserve.count},
      {"loads_parallel", settings.loads_parallel_max},
      {"load_timeout_ms", settings.load_timeout / 1ms},
      {"load_attempts", settings.load_attempts_max},
      {"unknown_memory_bytes", settings.unknown_memory.count},
      {"threshold", settings.threshold},
      {"preload_threshold", settings.preload_threshold},
      {"history_text", history_text(config.history_text)},
      {"history_days", config.history_days},
      {"journal_synced", config.is_journal_synced},
      {"log", {{"level", config.log_level}, {"format", config.log_format}}}};
  if (const Bytes* bytes = std::get_if<Bytes>(&config.budget)) {
    json["budget_bytes"] = bytes->count;
  } else {
    json["budget_share"] = std::get<BudgetShare>(config.budget).share;
  }
  for (const NamedBytes& pool : settings.pools) json["pools"][pool.name] = pool.bytes.count;
  for (const NamedBytes& one : settings.resources) json["devices"][one.name] = one.bytes.count;
  json["components"] = OrderedJson::object();
  for (std::size_t i = 0; i < config.core.components.size(); ++i) {
    const Spec& spec = config.core.components[i];
    json["components"][spec.name] = component_json(spec, config.launches.at(i));
  }
  return json;
}

}  // namespace hearth

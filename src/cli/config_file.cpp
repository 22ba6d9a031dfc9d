#include "cli/config_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/places.h"
#include "platform/machine.h"
#include "runtime/files.h"

namespace hearth {
namespace {

// A path that is relative to a folder made later cannot be judged now, and counts as there.
ProgramExists program_exists(const Environment& environment) {
  return [&environment](const std::string& program, const std::string& directory) {
    const bool is_relative = !program.starts_with('/') && program.find('/') != std::string::npos;
    if (!is_relative) return !find_program(program, environment).empty();
    return directory.empty() || !find_program(directory + "/" + program, environment).empty();
  };
}

std::string probe_text(const ReadyProbe& probe) {
  switch (probe.kind) {
    case ReadyProbe::Kind::started:
      return "started";
    case ReadyProbe::Kind::http:
      return "http " + probe.value;
    case ReadyProbe::Kind::tcp:
      return "tcp " + probe.value;
    case ReadyProbe::Kind::unix_socket:
      return "socket " + probe.value;
    case ReadyProbe::Kind::stdout_line:
      return "line " + probe.value;
    case ReadyProbe::Kind::notify:
      return "notify";
  }
  return "";
}

std::string history_text(Config::HistoryText kept) {
  switch (kept) {
    case Config::HistoryText::keep:
      return "keep";
    case Config::HistoryText::features:
      return "features";
    case Config::HistoryText::none:
      return "none";
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

CheckedConfig check_config(std::string_view text, const std::string& path,
                           const Environment& environment) {
  ParsedConfig parsed = parse_config(text, path, environment);
  CheckedConfig checked{.problems = parsed.problems};
  const auto add = [&](std::vector<ConfigProblem> more) {
    checked.problems.insert(checked.problems.end(), more.begin(), more.end());
  };
  add(check_binaries(parsed, program_exists(environment)));
  add(check_paths(parsed, [](const std::string& named) {
    std::error_code code;
    return std::filesystem::exists(named, code);
  }));
  const Bytes total = make_machine()->memory_total();
  add(check_machine(parsed, total));
  if (std::holds_alternative<BudgetShare>(parsed.draft.budget)) {
    add(check_budget(parsed, resolve_budget(parsed.draft, total).settings.budget));
  }
  std::ranges::stable_sort(checked.problems, {}, [](const ConfigProblem& problem) {
    return std::pair{problem.line, problem.column};
  });
  if (std::ranges::none_of(checked.problems, &ConfigProblem::is_error)) {
    checked.config = std::move(parsed.config);
  }
  return checked;
}

Result<Config> load_config(const std::string& path, const Environment& environment) {
  const std::string text = HEARTH_TRY(read_file(path));
  CheckedConfig checked = check_config(text, path, environment);
  if (checked.config) return std::move(*checked.config);
  std::string problems;
  for (const ConfigProblem& problem : checked.problems) {
    if (!problem.is_error) continue;
    problems += (problems.empty() ? "" : "\n") + to_text(problem, path);
  }
  return fail(Errc::invalid, std::move(problems));
}

OrderedJson problem_json(const ConfigProblem& problem) {
  return {{"severity", problem.is_error ? "error" : "warning"},
          {"line", problem.line},
          {"column", problem.column},
          {"message", problem.message}};
}

OrderedJson config_json(const Config& config, const std::string& state_dir) {
  const Settings& settings = config.core.settings;
  OrderedJson json{{"path", config.path},
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
  for (const PoolSpec& pool : settings.pools) {
    json["pools"][pool.name] = {{"size", pool.bytes.count}, {"hard", pool.is_hard}};
  }
  for (const NamedBytes& one : settings.resources) {
    if (one.bytes == auto_device) {
      json["devices"][one.name] = "auto";
    } else {
      json["devices"][one.name] = one.bytes.count;
    }
  }
  json["components"] = OrderedJson::object();
  for (std::size_t i = 0; i < config.core.components.size(); ++i) {
    const Spec& spec = config.core.components[i];
    json["components"][spec.name] = component_json(spec, config.launches.at(i));
  }
  return json;
}

}  // namespace hearth

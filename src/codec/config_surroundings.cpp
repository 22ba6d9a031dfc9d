// What the file says against the machine that it is read on. Warnings: the machine may change.
#include <algorithm>

#include "codec/config_reader.h"

namespace hearth {
namespace {

bool has_macro(std::string_view text) { return text.find("${") != std::string_view::npos; }

ConfigProblem warning(ConfigPlace place, std::string message) {
  return {false, place.line, place.column, std::move(message)};
}

}  // namespace

std::vector<ConfigProblem> check_binaries(const ParsedConfig& parsed, const ProgramExists& exists) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < parsed.draft.launches.size(); ++i) {
    const Launch& launch = parsed.draft.launches[i];
    const bool is_known =
        !launch.is_shell && !launch.argv.empty() && launch.argv[0].find("${") == std::string::npos;
    if (!is_known || exists(launch.argv[0], launch.directory)) continue;
    const bool is_path = launch.argv[0].find('/') != std::string::npos;
    const ConfigPlace place = i < parsed.places.size() ? parsed.places[i].command : ConfigPlace{};
    problems.push_back({false, place.line, place.column,
                        launch.name + ": the program " + quoted(launch.argv[0]) +
                            (is_path ? " is not there" : " is not on PATH") +
                            ": install it or correct `cmd`"});
  }
  return problems;
}

std::vector<ConfigProblem> check_paths(const ParsedConfig& parsed, const PathExists& exists) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < parsed.draft.launches.size(); ++i) {
    const Launch& launch = parsed.draft.launches[i];
    const ComponentPlaces places = i < parsed.places.size() ? parsed.places[i] : ComponentPlaces{};
    const bool has_folder = launch.directory.starts_with('/') && !has_macro(launch.directory);
    if (has_folder && !exists(launch.directory)) {
      problems.push_back(warning(places.directory, launch.name + ": the `directory` " +
                                                       quoted(launch.directory) +
                                                       " is not there: make it or correct it"));
    }
    for (const std::string& file : launch.files) {
      const bool is_absolute = file.starts_with('/');
      if (has_macro(file) || (!is_absolute && !has_folder)) continue;
      if (exists(is_absolute ? file : launch.directory + "/" + file)) continue;
      problems.push_back(warning(
          places.files, launch.name + ": `files` names " + quoted(file) + ", which is not there"));
    }
  }
  return problems;
}

std::vector<ConfigProblem> check_machine(const ParsedConfig& parsed, Bytes memory_total) {
  std::vector<ConfigProblem> problems;
  const auto say = [&](const std::string& key, Bytes bytes, std::string_view mend) {
    const auto place = parsed.section_places.find(key);
    problems.push_back(warning(place == parsed.section_places.end() ? ConfigPlace{} : place->second,
                               "`" + key + "` is " + format_bytes(bytes) +
                                   ", and this machine has " + format_bytes(memory_total) + ": " +
                                   std::string{mend}));
  };
  const auto* budget = std::get_if<Bytes>(&parsed.draft.budget);
  if (budget != nullptr && *budget > memory_total) {
    say("memory.budget", *budget, "say less, or a share such as 60%");
  }
  if (parsed.draft.reserve >= memory_total) {
    say("memory.reserve", parsed.draft.reserve, "nothing could ever be loaded");
  }
  return problems;
}

}  // namespace hearth

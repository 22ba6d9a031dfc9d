#include <algorithm>
#include <memory>
#include <ostream>
#include <thread>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/log_files.h"
#include "cli/places.h"

namespace hearth {
namespace {

struct Options {
  std::string name;
  bool is_following = false;
  std::size_t lines = 0;
};

// An alias names the component that it belongs to.
std::string own_name(const Config& config, const std::string& name) {
  for (const Launch& launch : config.launches) {
    if (std::ranges::find(launch.aliases, name) != launch.aliases.end()) return launch.name;
  }
  return name;
}

// A component that is declared but never ran has an empty log rather than a wrong name.
Result<> check_name(const Config& config, const std::string& folder, const std::string& name) {
  std::vector<std::string> names = logged_names(folder);
  for (const Launch& launch : config.launches) {
    if (launch.name == name) return {};
    names.push_back(launch.name);
  }
  if (std::ranges::find(names, name) != names.end()) return {};
  const auto near = near_names(name, names);
  return fail(Errc::not_found,
              "there is no component `" + printable(name) + "` and no log of it" +
                  (near.empty() ? " in " + folder : ": did you mean `" + near.front() + "`?"));
}

Result<int> run(Console& console, const Options& options) {
  HEARTH_TRY(check_component_name(options.name));
  const Config config = console.readable_config();
  const std::string folder = console.state_dir(config) + "/logs";
  const std::string name = own_name(config, options.name);
  HEARTH_TRY(check_name(config, folder, name));
  LogFollower follower{folder, name};
  const auto text = read_log(folder, name, options.lines);
  if (!text && !options.is_following) return std::unexpected(text.error());
  if (text) console.out() << *text;
  while (options.is_following && console.out()) {
    console.out() << follower.next() << std::flush;
    std::this_thread::sleep_for(100ms);
  }
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.text(options->name,
                 {.name = "name", .help = "Which", .type = "COMPONENT", .is_required = true});
  arguments.flag(options->is_following,
                 {.name = "-f,--follow", .help = "Go on as more is written"});
  arguments.number(options->lines,
                   {.name = "-n,--lines", .help = "Only the last N lines", .type = "N"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_logs;
const Command command_logs{
    .summary = "Print what a component wrote; needs no running daemon",
    .group = CommandGroup::insight,
    .is_json = false,
    .declare = declare,
};

}  // namespace hearth

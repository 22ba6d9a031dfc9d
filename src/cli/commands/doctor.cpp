#include <memory>
#include <ostream>

#include "cli/app.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/doctor_text.h"
#include "cli/installation.h"
#include "platform/facilities.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

struct Options {
  bool is_all = false;
};

// A daemon that is alone in its group makes room in it first.
GroupTrial try_groups_as_daemon() {
  const DaemonLeaf leaf = DaemonLeaf::enter();
  return try_groups();
}

Result<int> run(Console& console, const Options& options) {
  const Installation installation = read_installation(console);
  // Before a driver's library can have begun threads: it forks.
  const GroupTrial trial = try_groups_as_daemon();
  MachineFacts machine = read_machine_facts();
  machine.trial = trial;
  std::vector<Facility> facilities = judge_installation(installation.facts);
  for (Facility& facility : judge_machine(machine, installation.wishes)) {
    facilities.push_back(std::move(facility));
  }
  if (console.is_json()) {
    console.print(doctor_json(facilities, hearth_version()));
  } else {
    console.out() << doctor_text(
        facilities, {.is_all = options.is_all, .has_colour = console.streams().has_colour});
  }
  return is_healthy(facilities) ? 0 : 1;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.flag(options->is_all,
                 {.name = "--all", .help = "Say also what mends what is not used yet"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_doctor;
const Command command_doctor{
    .summary = "Check the installation: what is there, what is missing, what mends it",
    .group = CommandGroup::tools,
    .declare = declare,
};

}  // namespace hearth

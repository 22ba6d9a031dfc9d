#include <memory>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

struct Options {
  std::vector<std::string> names;
  bool is_all = false;
};

Result<int> run(Console& console, const Options& options) {
  if (options.is_all != options.names.empty()) {
    return fail(Errc::invalid, "name components, or say --all (not both)");
  }
  for (const std::string& name : options.names) HEARTH_TRY(check_component_name(name));
  Link& link = *HEARTH_TRY(console.link());
  const OrderedJson body =
      options.is_all ? OrderedJson{{"all", true}} : OrderedJson{{"components", options.names}};
  const OrderedJson answer = HEARTH_TRY(link.post("/v1/unload", body));
  if (console.is_json()) {
    console.print(answer);
    return 0;
  }
  const OrderedJson unloaded = part_of(answer, "unloaded");
  if (unloaded.empty()) {
    console.out() << "nothing was loaded\n";
  } else {
    console.out() << "unloaded " << printable(joined(unloaded)) << " in "
                  << human_span(number_of(answer, "wait_ms")) << "\n";
  }
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.list(options->names, {.name = "names", .help = "Which", .type = "COMPONENT"});
  arguments.flag(options->is_all,
                 {.name = "--all", .help = "Everything that is neither leased nor core"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_unload;
const Command command_unload{
    .summary = "Unload components now; refused while one is leased or needed",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

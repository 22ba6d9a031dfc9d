#include <memory>

#include "cli/command.h"
#include "cli/component_table.h"
#include "cli/console.h"
#include "cli/times.h"
#include "cli/why_text.h"

namespace hearth {
namespace {

struct Options {
  std::string name;
  std::uint32_t limit = 20;
};

Result<int> run(Console& console, const Options& options) {
  HEARTH_TRY(check_component_name(options.name));
  Link& link = *HEARTH_TRY(console.link());
  const OrderedJson row = HEARTH_TRY(link.get("/v1/components/" + url_escape(options.name)));
  const std::string name = text_of(row, "name");
  const OrderedJson answer = HEARTH_TRY(link.get("/v1/decisions?component=" + url_escape(name) +
                                                 "&limit=" + std::to_string(options.limit)));
  if (console.is_json()) {
    console.print(OrderedJson{{"component", row}, {"decisions", part_of(answer, "decisions")}});
    return 0;
  }
  console.out() << why_text(row, part_of(answer, "decisions"), unix_ms_now());
  Table table{{{"WHEN"}, {"WHAT"}}};
  for (const OrderedJson& decision : part_of(answer, "decisions")) {
    table.add({clock_text(text_of(decision, "at")), text_of(decision, "text")});
  }
  if (!table.is_empty()) {
    console.out() << "\n";
    console.print(table);
  }
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.text(options->name,
                 {.name = "name", .help = "Which", .type = "COMPONENT", .is_required = true});
  arguments.number(options->limit,
                   {.name = "--limit", .help = "How many decisions to show (20)", .type = "N"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_why;
const Command command_why{
    .summary = "Say why a component is loaded or not, from the recorded decisions",
    .group = CommandGroup::insight,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

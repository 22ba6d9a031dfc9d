#include <memory>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

Result<int> release(Console& console, Link& link, const std::string& id) {
  const OrderedJson answer = HEARTH_TRY(link.del("/v1/leases/" + url_escape(id)));
  if (console.is_json()) {
    console.print(answer);
  } else {
    console.out() << "released " << printable(text_of(answer, "lease")) << "\n";
  }
  return 0;
}

Result<int> run(Console& console, const std::string& released) {
  Link& link = *HEARTH_TRY(console.link());
  if (!released.empty()) return release(console, link, released);
  const OrderedJson answer = HEARTH_TRY(link.get("/v1/leases"));
  if (console.is_json()) {
    console.print(answer);
    return 0;
  }
  const OrderedJson leases = part_of(answer, "leases");
  if (leases.empty()) {
    console.out() << "no leases\n";
    return 0;
  }
  Table table{{{"LEASE"}, {"OWNER"}, {"ENDS IN", true}, {"MAY BE REVOKED"}, {"COMPONENTS"}}};
  for (const OrderedJson& row : leases) {
    std::string owner = text_of(row, "owner");
    if (owner.empty()) owner = text_of(row, "command", "-");
    table.add({text_of(row, "lease"), owner, human_span(number_of(row, "remaining_ms")),
               flag_of(row, "preemptible") ? "yes" : "no", joined(part_of(row, "components"))});
  }
  console.print(table);
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto released = std::make_unique<std::string>();
  arguments.text(*released, {.name = "--release", .help = "End this lease", .type = "LEASE"});
  return [released = std::move(released)](Console& console) { return run(console, *released); };
}

}  // namespace

extern const Command command_leases;
const Command command_leases{
    .summary = "List who holds what, and for how long",
    .group = CommandGroup::insight,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

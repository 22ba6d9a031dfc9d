#include <memory>
#include <ostream>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/times.h"

namespace hearth {
namespace {

bool print_event(Console& console, const StreamEvent& event) {
  if (console.is_json()) {
    const OrderedJson data = read_json(event.data).value_or(OrderedJson(event.data));
    const OrderedJson line{{"id", event.id}, {"event", event.name}, {"data", data}};
    console.out() << dump_json(line) << "\n";
  } else if (event.name == "lost") {
    console.out() << "... some were lost: this reader was too slow\n";
  } else {
    const OrderedJson data = read_json(event.data).value_or(OrderedJson{});
    console.out() << clock_text(text_of(data, "at")) << "  " << printable(text_of(data, "text"))
                  << "\n";
  }
  console.out().flush();
  return static_cast<bool>(console.out());
}

Result<int> run(Console& console, const std::optional<std::uint64_t>& after) {
  Link& link = *HEARTH_TRY(console.link());
  HEARTH_TRY(
      link.events(after, [&](const StreamEvent& event) { return print_event(console, event); }));
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto after = std::make_unique<std::optional<std::uint64_t>>();
  arguments.number(
      *after,
      {.name = "--after", .help = "Begin after this sequence number of the journal", .type = "N"});
  return [after = std::move(after)](Console& console) { return run(console, *after); };
}

}  // namespace

extern const Command command_events;
const Command command_events{
    .summary = "Follow the decisions as they are made",
    .group = CommandGroup::insight,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

#include <memory>
#include <ostream>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/times.h"

namespace hearth {
namespace {

bool print_event(Session& session, const StreamEvent& event) {
  if (session.is_json()) {
    OrderedJson data = OrderedJson::parse(event.data, nullptr, false);
    if (data.is_discarded()) data = event.data;
    const OrderedJson line{{"id", event.id}, {"event", event.name}, {"data", data}};
    session.out() << dump_json(line) << "\n";
  } else if (event.name == "lost") {
    session.out() << "... some were lost: this reader was too slow\n";
  } else {
    const OrderedJson data = OrderedJson::parse(event.data, nullptr, false);
    session.out() << clock_text(text_of(data, "at")) << "  " << printable(text_of(data, "text"))
                  << "\n";
  }
  session.out().flush();
  return static_cast<bool>(session.out());
}

Result<int> run(Session& session, const std::optional<std::uint64_t>& after) {
  Link& link = *HEARTH_TRY(session.link());
  HEARTH_TRY(link.events(
      after, [&](const StreamEvent& event) { return print_event(session, event); }));
  return 0;
}

CommandRun declare(CLI::App& app) {
  auto after = std::make_unique<std::optional<std::uint64_t>>();
  app.add_option("--after", *after, "Begin after this sequence number of the journal")
      ->type_name("N");
  return [after = std::move(after)](Session& session) { return run(session, *after); };
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

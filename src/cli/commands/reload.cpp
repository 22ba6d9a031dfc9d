#include "cli/command.h"
#include "cli/session.h"

namespace hearth {
namespace {

Result<int> run(Session& session) {
  Link& link = *HEARTH_TRY(session.link());
  const auto answer = link.post("/v1/reload", OrderedJson::object());
  if (!answer) {
    if (answer.error().code == Errc::invalid) {
      session.mark_bad_config();
      return fail(Errc::invalid,
                  "nothing has changed, the configuration has errors:\n" + answer.error().detail);
    }
    return std::unexpected(answer.error());
  }
  if (session.is_json()) {
    session.print(*answer);
  } else {
    session.out() << "reloaded\n";
  }
  return 0;
}

CommandRun declare(CLI::App& /*app*/) {
  return [](Session& session) { return run(session); };
}

}  // namespace

extern const Command command_reload;
const Command command_reload{
    .summary = "Make the daemon read its configuration again; an invalid one changes nothing",
    .group = CommandGroup::configuration,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

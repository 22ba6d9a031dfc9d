#include "cli/command.h"

#include <memory>

#include "cli/console.h"
#include "cli/times.h"

namespace hearth {
namespace {

struct Options {
  std::vector<std::string> words;
  std::string session;
  bool is_not_waiting = false;
  std::string timeout = "30s";
  std::string lease = "60s";
};

void print_components(Console& console, const OrderedJson& answer) {
  Table table{{{"COMPONENT"}, {"WAS"}, {"NOW"}, {"BECAUSE"}, {"ENDPOINT"}}};
  for (const OrderedJson& row : part_of(answer, "components")) {
    const bool is_cold = flag_of(row, "cold");
    table.add({text_of(row, "name"),
               Cell{is_cold ? "cold" : "warm", is_cold ? Colour::yellow : Colour::green},
               text_of(row, "state"), flag_of(row, "asked") ? "asked for" : "needed",
               text_of(row, "endpoint", "-")});
  }
  console.print(table);
}

Result<int> run(Console& console, const Options& options) {
  std::string text;
  for (const std::string& word : options.words) text += (text.empty() ? "" : " ") + word;
  HEARTH_TRY(check_utf8(text, "the text"));
  HEARTH_TRY(check_utf8(options.session, "--session"));
  const Duration timeout = HEARTH_TRY(duration_option(options.timeout, "--timeout"));
  const Duration lease = HEARTH_TRY(duration_option(options.lease, "--lease"));
  OrderedJson body{{"text", text},
                   {"wait", options.is_not_waiting ? "none" : "ready"},
                   {"timeout_ms", timeout / 1ms},
                   {"lease_ms", lease / 1ms}};
  if (!options.session.empty()) body["session"] = options.session;
  Link& link = *HEARTH_TRY(console.link());
  const OrderedJson answer = HEARTH_TRY(link.post("/v1/commands", body, timeout + 30s));
  if (console.is_json()) {
    console.print(answer);
    return 0;
  }
  if (part_of(answer, "components").empty()) {
    console.out() << "nothing is needed for this (" << text_of(answer, "id") << ")\n";
    return 0;
  }
  print_components(console, answer);
  console.out() << "\n"
                << text_of(answer, "id") << ": waited " << human_span(number_of(answer, "wait_ms"));
  if (const std::string held = text_of(answer, "lease"); !held.empty()) {
    console.out() << ", held by lease " << held << " until "
                  << clock_text(text_of(answer, "lease_expires_at"));
  }
  console.out() << "\n";
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.list(
      options->words,
      {.name = "text", .help = "What the user said", .type = "TEXT", .is_required = true});
  arguments.text(options->session,
                 {.name = "--session", .help = "The history that it belongs to", .type = "NAME"});
  arguments.flag(options->is_not_waiting,
                 {.name = "--no-wait", .help = "Answer at once; loads go on"});
  arguments.text(options->timeout,
                 {.name = "--timeout", .help = "How long to wait (30s)", .type = "SPAN"});
  arguments.text(
      options->lease,
      {.name = "--lease", .help = "How long they are held for you (60s; 0s: not)", .type = "SPAN"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_command;
const Command command_command{
    .summary = "Send a user's command: load what it needs and wait until it is ready",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

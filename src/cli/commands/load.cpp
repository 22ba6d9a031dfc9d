#include <memory>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/times.h"

namespace hearth {
namespace {

struct Options {
  std::vector<std::string> names;
  bool is_not_waiting = false;
  std::string timeout = "30s";
};

Result<int> run(Console& console, const Options& options) {
  const Duration timeout = HEARTH_TRY(duration_option(options.timeout, "--timeout"));
  Link& link = *HEARTH_TRY(console.link());
  OrderedJson answers = OrderedJson::array();
  for (const std::string& name : options.names) {
    const OrderedJson answer = HEARTH_TRY(link.post(
        "/v1/components/" + url_escape(name) + "/load",
        {{"wait", options.is_not_waiting ? "none" : "ready"}, {"timeout_ms", timeout / 1ms}},
        timeout + 30s));
    answers.push_back(answer);
    if (console.is_json()) continue;
    for (const OrderedJson& row : part_of(answer, "components")) {
      console.out() << printable(text_of(row, "name")) << ": " << text_of(row, "state");
      if (flag_of(row, "cold") && text_of(row, "state") == "ready") {
        console.out() << ", loaded in " << human_span(number_of(answer, "wait_ms"));
      }
      const std::string endpoint = text_of(row, "endpoint");
      if (!endpoint.empty()) console.out() << ", " << endpoint;
      console.out() << "\n";
    }
  }
  if (console.is_json()) console.print(answers);
  return 0;
}

CommandRun declare(CLI::App& app) {
  auto options = std::make_unique<Options>();
  app.add_option("names", options->names, "Which")->required()->type_name("COMPONENT");
  app.add_flag("--no-wait", options->is_not_waiting, "Answer at once; the load goes on");
  app.add_option("--timeout", options->timeout, "How long to wait (30s)")->type_name("SPAN");
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_load;
const Command command_load{
    .summary = "Load components now",
    .group = CommandGroup::components,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

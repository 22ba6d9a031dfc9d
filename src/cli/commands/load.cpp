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

std::string path_of(const std::string& name) { return "/v1/components/" + url_escape(name); }

// What came of them: of each component the last answer, with its state as it is now.
Result<OrderedJson> outcome_of(Link& link, OrderedJson& answers) {
  OrderedJson rows = OrderedJson::object();
  for (OrderedJson& answer : answers) {
    if (part_of(answer, "components").empty()) continue;
    for (OrderedJson& row : answer["components"]) {
      if (!row.is_object()) continue;
      const std::string name = text_of(row, "name");
      const OrderedJson now = HEARTH_TRY(link.get(path_of(name)));
      row["state"] = text_of(now, "state");
      const auto endpoint = now.find("endpoint");
      row["endpoint"] = endpoint == now.end() ? OrderedJson{} : *endpoint;
      row["wait_ms"] = number_of(answer, "wait_ms");
      // What the first brought up is warm for the second.
      const bool was_cold = rows.contains(name) && flag_of(rows[name], "cold");
      if (!was_cold) rows[name] = row;
      row.erase("wait_ms");
    }
  }
  return rows;
}

void print_row(Console& console, const OrderedJson& row) {
  const std::string state = text_of(row, "state");
  console.out() << printable(text_of(row, "name")) << ": " << state;
  if (flag_of(row, "cold") && state == "ready") {
    console.out() << ", loaded in " << human_span(number_of(row, "wait_ms"));
  }
  const std::string endpoint = text_of(row, "endpoint");
  if (!endpoint.empty()) console.out() << ", " << endpoint;
  console.out() << "\n";
}

// The first that was ready when it was answered for, and is not any more.
std::string displaced_of(const OrderedJson& rows) {
  for (const OrderedJson& row : rows) {
    const std::string state = text_of(row, "state");
    if (state != "ready" && state != "loading") return text_of(row, "name");
  }
  return "";
}

Result<int> run(Console& console, const Options& options) {
  const Duration timeout = HEARTH_TRY(duration_option(options.timeout, "--timeout"));
  Link& link = *HEARTH_TRY(console.link());
  HEARTH_TRY(check_components(link, options.names));  // one wrong name, and nothing is loaded
  OrderedJson answers = OrderedJson::array();
  Result<> loaded;
  for (const std::string& name : options.names) {
    auto answer = link.post(
        path_of(name) + "/load",
        {{"wait", options.is_not_waiting ? "none" : "ready"}, {"timeout_ms", timeout / 1ms}},
        timeout + 30s);
    if (!answer) {
      loaded = std::unexpected(std::move(answer).error());
      break;
    }
    answers.push_back(std::move(*answer));
  }
  const OrderedJson rows = HEARTH_TRY(outcome_of(link, answers));
  if (!console.is_json()) {
    for (const OrderedJson& row : rows) print_row(console, row);
  }
  HEARTH_TRY(std::move(loaded));
  if (console.is_json()) console.print(answers);
  const std::string displaced = displaced_of(rows);
  if (displaced.empty() || options.is_not_waiting) return 0;
  if (console.is_json()) return 1;  // the states in it say which
  return fail(Errc::conflict, printable(displaced) + " was loaded and is gone again: `hearth why " +
                                  printable(displaced) + "` says what took its place");
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.list(options->names,
                 {.name = "names", .help = "Which", .type = "COMPONENT", .is_required = true});
  arguments.flag(options->is_not_waiting,
                 {.name = "--no-wait", .help = "Answer at once; the load goes on"});
  arguments.text(options->timeout,
                 {.name = "--timeout", .help = "How long to wait (30s)", .type = "SPAN"});
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

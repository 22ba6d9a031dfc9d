#include "cli/bench.h"

#include <ostream>

#include "cli/command.h"
#include "cli/session.h"

namespace hearth {
namespace {

void add(Table& table, OrderedJson& rows, const BenchFigure& figure) {
  const auto text = [](double us) {
    return us < 1000 ? human_number(us, us < 10 ? 2 : 1) + " us" : human_span(us / 1000);
  };
  table.add({figure.name, std::to_string(figure.count), text(figure.median_us),
             text(figure.p99_us)});
  rows.push_back({{"name", figure.name},
                  {"count", figure.count},
                  {"median_us", figure.median_us},
                  {"p99_us", figure.p99_us}});
}

Result<int> run(Session& session) {
  Table table{{{"WHAT"}, {"TIMES", true}, {"MEDIAN", true}, {"P99", true}}};
  OrderedJson rows = OrderedJson::array();
  for (const BenchFigure& figure : bench_engine(64, 20'000)) add(table, rows, figure);
  const auto figures = HEARTH_TRY(bench_daemon("/proc/self/exe"));
  for (const BenchFigure& figure : figures) add(table, rows, figure);
  if (session.is_json()) {
    session.print(OrderedJson{{"figures", std::move(rows)}});
  } else {
    session.print(table);
  }
  return 0;
}

CommandRun declare(CLI::App& /*app*/) {
  return [](Session& session) { return run(session); };
}

}  // namespace

extern const Command command_bench;
const Command command_bench{
    .summary = "Measure steps, commands and loads on this machine, in under a minute",
    .group = CommandGroup::tools,
    .declare = declare,
};

}  // namespace hearth

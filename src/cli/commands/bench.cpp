#include "cli/bench.h"

#include <ostream>

#include "cli/command.h"
#include "cli/console.h"

namespace hearth {
namespace {

void add(Table& table, OrderedJson& rows, const BenchFigure& figure) {
  const auto text = [](double us) {
    return us < 1000 ? human_number(us, us < 10 ? 2 : 1) + " us" : human_span(us / 1000);
  };
  table.add(
      {figure.name, std::to_string(figure.count), text(figure.median_us), text(figure.p99_us)});
  rows.push_back({{"name", figure.name},
                  {"count", figure.count},
                  {"median_us", figure.median_us},
                  {"p99_us", figure.p99_us}});
}

Result<int> run(Console& console) {
  Table table{{{"WHAT"}, {"TIMES", true}, {"MEDIAN", true}, {"P99", true}}};
  OrderedJson rows = OrderedJson::array();
  for (const BenchFigure& figure : bench_engine(64, 20'000)) add(table, rows, figure);
  const auto figures = HEARTH_TRY(bench_daemon("/proc/self/exe"));
  for (const BenchFigure& figure : figures) add(table, rows, figure);
  if (console.is_json()) {
    console.print(OrderedJson{{"figures", std::move(rows)}});
  } else {
    console.print(table);
  }
  return 0;
}

CommandRun declare(Arguments& /*arguments*/) {
  return [](Console& console) { return run(console); };
}

}  // namespace

extern const Command command_bench;
const Command command_bench{
    .summary = "Measure steps, commands and loads on this machine, in under a minute",
    .group = CommandGroup::tools,
    .declare = declare,
};

}  // namespace hearth

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/graph_text.h"

namespace hearth {
namespace {

struct Options {
  std::string name;
  bool is_dot = false;
};

std::vector<std::string> strings_of(const OrderedJson& array) {
  std::vector<std::string> strings;
  for (const OrderedJson& value : array) {
    if (value.is_string()) strings.push_back(value.get<std::string>());
  }
  return strings;
}

std::vector<GraphNode> nodes_of(const OrderedJson& rows) {
  std::vector<GraphNode> nodes;
  for (const OrderedJson& row : rows) {
    nodes.push_back({text_of(row, "name"), text_of(row, "state"), strings_of(part_of(row, "needs")),
                     strings_of(part_of(row, "conflicts"))});
  }
  return nodes;
}

std::vector<GraphNode> nodes_of(const Config& config) {
  std::vector<GraphNode> nodes;
  for (const Spec& spec : config.core.components) {
    nodes.push_back({spec.name, "", spec.needs, spec.conflicts});
  }
  return nodes;
}

// From the daemon when one runs, so that states are shown; otherwise from the configuration.
Result<std::vector<GraphNode>> find_nodes(Console& console) {
  const auto link = console.link();
  if (link) {
    const auto answer = (*link)->get("/v1/components");
    if (answer) return nodes_of(part_of(*answer, "components"));
    if (!console.options().url.empty() || console.config_path().empty()) {
      return std::unexpected(answer.error());
    }
  }
  const Config config = HEARTH_TRY(console.config());
  return nodes_of(config);
}

Result<int> run(Console& console, const Options& options) {
  const std::vector<GraphNode> nodes = HEARTH_TRY(find_nodes(console));
  if (!options.name.empty()) {
    std::vector<std::string> names;
    for (const GraphNode& node : nodes) names.push_back(node.name);
    if (std::ranges::find(names, options.name) == names.end()) {
      const auto near = near_names(options.name, names);
      return fail(Errc::not_found, "there is no component `" + printable(options.name) + "`" +
                                       (near.empty() ? "" : ": did you mean `" + near[0] + "`?"));
    }
  }
  if (console.is_json()) {
    OrderedJson rows = OrderedJson::array();
    for (const GraphNode& node : nodes) {
      rows.push_back({{"name", node.name},
                      {"state", node.state.empty() ? OrderedJson() : OrderedJson(node.state)},
                      {"needs", node.needs},
                      {"conflicts", node.conflicts}});
    }
    console.print(OrderedJson{{"components", rows}});
  } else {
    console.out() << (options.is_dot ? dot_text(nodes) : tree_text(nodes, options.name));
  }
  return 0;
}

CommandRun declare(Arguments& arguments) {
  auto options = std::make_unique<Options>();
  arguments.text(options->name, {.name = "name", .help = "This one alone", .type = "COMPONENT"});
  arguments.flag(options->is_dot,
                 {.name = "--dot", .help = "Print Graphviz: hearth graph --dot | dot -Tsvg"});
  return [options = std::move(options)](Console& console) { return run(console, *options); };
}

}  // namespace

extern const Command command_graph;
const Command command_graph{
    .summary = "Draw what needs what, and what is never loaded together",
    .group = CommandGroup::insight,
    .is_client = true,
    .declare = declare,
};

}  // namespace hearth

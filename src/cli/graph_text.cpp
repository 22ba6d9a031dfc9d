#include "cli/graph_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cli/table.h"

namespace hearth {
namespace {

struct Drawing {
  const std::map<std::string, const GraphNode*>& by_name;
  std::set<std::string> drawn;
  std::string text;
};

std::string label(const GraphNode& node) {
  std::string text = printable(node.name);
  if (!node.state.empty()) text += " (" + node.state + ")";
  return text;
}

// Depth is at most the number of nodes: a node is drawn open once.
void draw(Drawing& drawing, const GraphNode& node, const std::string& lead) {
  for (std::size_t i = 0; i < node.needs.size(); ++i) {
    const bool is_last = i + 1 == node.needs.size();
    drawing.text += lead + (is_last ? "└─ " : "├─ ");
    const auto found = drawing.by_name.find(node.needs[i]);
    if (found == drawing.by_name.end()) {
      drawing.text += printable(node.needs[i]) + " (not declared)\n";
      continue;
    }
    const GraphNode& need = *found->second;
    drawing.text += label(need);
    if (!drawing.drawn.insert(need.name).second) {
      drawing.text += need.needs.empty() ? "\n" : " ...\n";
      continue;
    }
    drawing.text += "\n";
    draw(drawing, need, lead + (is_last ? "   " : "│  "));
  }
}

// Each pair once, the first name the earlier one.
std::vector<std::pair<std::string, std::string>> conflict_pairs(
    const std::vector<GraphNode>& nodes) {
  std::set<std::pair<std::string, std::string>> seen;
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const GraphNode& node : nodes) {
    for (const std::string& rival : node.conflicts) {
      if (seen.contains({rival, node.name})) continue;
      if (seen.insert({node.name, rival}).second) pairs.emplace_back(node.name, rival);
    }
  }
  return pairs;
}

std::string dot_name(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

std::string tree_text(const std::vector<GraphNode>& nodes, const std::string& only) {
  std::map<std::string, const GraphNode*> by_name;
  std::set<std::string> needed;
  for (const GraphNode& node : nodes) {
    by_name.emplace(node.name, &node);
    needed.insert(node.needs.begin(), node.needs.end());
  }
  Drawing drawing{by_name, {}, {}};
  const auto draw_root = [&](const GraphNode& node) {
    drawing.drawn.insert(node.name);
    drawing.text += label(node) + "\n";
    draw(drawing, node, "");
  };
  for (const GraphNode& node : nodes) {
    if (only.empty() ? !needed.contains(node.name) : node.name == only) draw_root(node);
  }
  // What is left stands in a circle.
  for (const GraphNode& node : nodes) {
    if (only.empty() && !drawing.drawn.contains(node.name)) draw_root(node);
  }
  std::string conflicts;
  for (const auto& [one, other] : conflict_pairs(nodes)) {
    if (!only.empty() && one != only && other != only) continue;
    conflicts += "  " + printable(one) + " × " + printable(other) + "\n";
  }
  if (!conflicts.empty()) drawing.text += "\nnever together:\n" + conflicts;
  return drawing.text;
}

std::string dot_text(const std::vector<GraphNode>& nodes) {
  std::string text = "digraph hearth {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const GraphNode& node : nodes) {
    text += "  " + dot_name(node.name);
    if (node.state == "ready") text += " [style=filled, fillcolor=palegreen]";
    if (node.state == "failed") text += " [style=filled, fillcolor=lightpink]";
    text += ";\n";
  }
  for (const GraphNode& node : nodes) {
    for (const std::string& need : node.needs) {
      text += "  " + dot_name(node.name) + " -> " + dot_name(need) + ";\n";
    }
  }
  for (const auto& [one, other] : conflict_pairs(nodes)) {
    text +=
        "  " + dot_name(one) + " -> " + dot_name(other) + " [dir=none, style=dashed, color=red];\n";
  }
  return text + "}\n";
}

}  // namespace hearth

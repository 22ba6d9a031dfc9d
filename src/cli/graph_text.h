// Needs and conflicts, drawn.
//
// Contract   nodes keep their order. tree_text(): everything that no other needs is a root, its
//            needs stand below it; what has been drawn before is not drawn below again ("..."); a
//            circle ends where it closes. dot_text(): Graphviz, needs as arrows, conflicts as red
//            dashed lines.
// Threads    pure.
#pragma once

#include <string>
#include <vector>

namespace hearth {

struct GraphNode {
  std::string name;
  std::string state;  // empty: not known
  std::vector<std::string> needs;
  std::vector<std::string> conflicts;
};

// With `only`, the tree of that one alone.
[[nodiscard]] std::string tree_text(const std::vector<GraphNode>& nodes, const std::string& only);
[[nodiscard]] std::string dot_text(const std::vector<GraphNode>& nodes);

}  // namespace hearth

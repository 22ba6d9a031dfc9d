#include "cli/graph_text.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

std::vector<GraphNode> assistant() {
  return {
      {"reader", "ready", {"ocr", "voice"}, {}},
      {"ocr", "", {"screen"}, {}},
      {"screen", "", {}, {}},
      {"voice", "", {}, {"dictation"}},
      {"dictation", "", {"screen"}, {"voice"}},
  };
}

TEST(Graph, DrawsNeedsBelowWhatNeedsThemAndEachConflictOnce) {
  EXPECT_EQ(tree_text(assistant(), ""),
            "reader (ready)\n"
            "├─ ocr\n"
            "│  └─ screen\n"
            "└─ voice\n"
            "dictation\n"
            "└─ screen\n"
            "\n"
            "never together:\n"
            "  voice × dictation\n");
}

TEST(Graph, DrawsOneComponentAloneWhenAskedTo) {
  EXPECT_EQ(tree_text(assistant(), "ocr"), "ocr\n└─ screen\n");
}

TEST(Graph, ACircleEndsWhereItCloses) {
  EXPECT_EQ(tree_text({{"a", "", {"b"}, {}}, {"b", "", {"a"}, {}}}, ""), "a\n└─ b\n   └─ a ...\n");
}

TEST(Graph, IsGraphvizWhenAskedTo) {
  EXPECT_EQ(dot_text({{"a", "ready", {"b"}, {}}, {"b", "", {}, {"a"}}}),
            "digraph hearth {\n"
            "  rankdir=LR;\n"
            "  node [shape=box];\n"
            "  \"a\" [style=filled, fillcolor=palegreen];\n"
            "  \"b\";\n"
            "  \"a\" -> \"b\";\n"
            "  \"b\" -> \"a\" [dir=none, style=dashed, color=red];\n"
            "}\n");
}

}  // namespace
}  // namespace hearth

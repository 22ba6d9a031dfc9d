// Many patterns found in one pass over a text (Aho, Corasick 1975).
//
// Contract   add() before build(), search after it. Every occurrence of every pattern is reported,
//            overlapping ones too, in order of their ends; at one end the longest comes first.
//            Patterns are bytes; an empty one is never found; equal ones are each reported.
// Threads    step() and find() are const and may run on several threads at once.
// Cost       a pass costs the text and the matches, whatever the number of patterns. Memory: about
//            20 bytes a byte of pattern, 1 KiB more for each state with over eight ways on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

class AhoCorasick {
 public:
  using State = std::uint32_t;
  static constexpr State start = 0;

  void add(std::string_view pattern, std::uint32_t value);
  void build();

  // The state after `byte`; calls found(value) for each pattern that ends with it.
  template <class Found>
  [[nodiscard]] State step(State state, char byte, Found found) const {
    state = next(state, static_cast<unsigned char>(byte));
    for (State at = state; at != start; at = nodes_[at].output) {
      for (std::uint32_t i = nodes_[at].first_value; i < nodes_[at + 1].first_value; ++i) {
        found(values_[i]);
      }
    }
    return state;
  }

  // Calls found(end, value) with the offset after the last byte of each match.
  template <class Found>
  void find(std::string_view text, Found found) const {
    State state = start;
    for (std::size_t i = 0; i < text.size(); ++i) {
      state = step(state, text[i], [&](std::uint32_t value) { found(i + 1, value); });
    }
  }

 private:
  static constexpr State none = 0xffffffffU;
  static constexpr std::uint32_t scanned_max = 8;

  // States are numbered breadth first, so that the children of one follow each other, and the
  // children and values of a node end where those of the next begin.
  struct Node {
    State first_child = 0;
    std::uint32_t first_value = 0;
    State suffix = start;      // the longest proper suffix that is a state
    State output = start;      // the longest proper suffix that ends a pattern; start: none
    std::uint32_t row = none;  // in rows_, for a node with more than scanned_max children
  };
  struct Pattern {
    std::string bytes;
    std::uint32_t value;
  };

  [[nodiscard]] State child(State state, unsigned char byte) const {
    const Node& node = nodes_[state];
    if (node.row != none) return rows_[node.row][byte];
    const State end = nodes_[state + 1].first_child;
    for (State at = node.first_child; at < end; ++at) {
      if (bytes_[at] == byte) return at;
    }
    return none;
  }

  [[nodiscard]] State next(State state, unsigned char byte) const {
    for (;;) {
      const State to = child(state, byte);
      if (to != none) return to;
      if (state == start) return start;
      state = nodes_[state].suffix;
    }
  }

  void build_tree();
  void build_links();

  std::vector<Pattern> patterns_;        // until build()
  std::vector<Node> nodes_{2};           // the last one is an end mark
  std::vector<unsigned char> bytes_{0};  // by state: the byte that leads to it
  std::vector<std::uint32_t> values_;
  std::vector<std::array<State, 256>> rows_;
};

}  // namespace hearth

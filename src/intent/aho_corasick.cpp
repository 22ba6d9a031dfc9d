#include "intent/aho_corasick.h"

#include <algorithm>

namespace hearth {

void AhoCorasick::add(std::string_view pattern, std::uint32_t value) {
  if (!pattern.empty()) patterns_.push_back({std::string(pattern), value});
}

void AhoCorasick::build() {
  std::sort(patterns_.begin(), patterns_.end(), [](const Pattern& a, const Pattern& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.value < b.value;
  });
  build_tree();
  build_links();
  patterns_ = {};
}

// Level by level: each state stands for a range of the sorted patterns with one common beginning.
void AhoCorasick::build_tree() {
  struct Range {
    std::size_t begin, end, depth;
  };
  std::vector<Range> ranges{{0, patterns_.size(), 0}};
  nodes_.clear();
  bytes_ = {0};
  for (State state = 0; state < ranges.size(); ++state) {
    auto [begin, end, depth] = ranges[state];
    nodes_.push_back({.first_child = static_cast<State>(ranges.size()),
                      .first_value = static_cast<std::uint32_t>(values_.size())});
    while (begin < end && patterns_[begin].bytes.size() == depth) {
      values_.push_back(patterns_[begin++].value);
    }
    while (begin < end) {
      const char byte = patterns_[begin].bytes[depth];
      std::size_t same = begin;
      while (same < end && patterns_[same].bytes[depth] == byte) ++same;
      ranges.push_back({begin, same, depth + 1});
      bytes_.push_back(static_cast<unsigned char>(byte));
      begin = same;
    }
  }
  nodes_.push_back({.first_child = static_cast<State>(ranges.size()),
                    .first_value = static_cast<std::uint32_t>(values_.size())});
}

void AhoCorasick::build_links() {
  const State count = static_cast<State>(nodes_.size() - 1);
  for (State state = 0; state < count; ++state) {
    const State first = nodes_[state].first_child;
    const State end = nodes_[state + 1].first_child;
    if (end - first > scanned_max) {
      nodes_[state].row = static_cast<std::uint32_t>(rows_.size());
      rows_.emplace_back().fill(none);
      for (State at = first; at < end; ++at) rows_.back()[bytes_[at]] = at;
    }
  }
  for (State state = 0; state < count; ++state) {
    const State end = nodes_[state + 1].first_child;
    for (State at = nodes_[state].first_child; at < end; ++at) {
      const State suffix = state == start ? start : next(nodes_[state].suffix, bytes_[at]);
      const bool ends_pattern = nodes_[suffix].first_value < nodes_[suffix + 1].first_value;
      nodes_[at].suffix = suffix;
      nodes_[at].output = ends_pattern ? suffix : nodes_[suffix].output;
    }
  }
}

}  // namespace hearth

#include "codec/config_links.h"

#include <utility>

namespace hearth {

namespace {

// Depth first, without recursion: needs may form a chain as long as the file.
class Walker {
 public:
  explicit Walker(const std::vector<std::vector<std::size_t>>& needs)
      : needs_(needs),
        marks_(needs.size(), Mark::untouched),
        next_(needs.size(), 0),
        position_(needs.size(), 0) {}

  Walk walk() {
    for (std::size_t root = 0; root < needs_.size(); ++root) {
      if (marks_[root] == Mark::untouched) descend(root);
    }
    return std::move(found_);
  }

 private:
  enum class Mark : unsigned char { untouched, on_path, done };

  void push(std::size_t id) {
    marks_[id] = Mark::on_path;
    position_[id] = path_.size();
    path_.push_back(id);
    told_.push_back(told_.empty() ? 0 : told_.back());
  }

  void descend(std::size_t root) {
    push(root);
    while (!path_.empty()) {
      const std::size_t at = path_.back();
      if (next_[at] == needs_[at].size()) {
        marks_[at] = Mark::done;
        found_.order.push_back(at);
        path_.pop_back();
        told_.pop_back();
        continue;
      }
      const std::size_t need = needs_[at][next_[at]++];
      if (marks_[need] == Mark::untouched) {
        push(need);
      } else if (marks_[need] == Mark::on_path && told_.back() <= position_[need]) {
        take_cycle(position_[need]);
      }
    }
  }

  // The end of the path is a cycle, and shares nothing with one told before.
  void take_cycle(std::size_t first) {
    std::vector<std::size_t> cycle;
    for (std::size_t i = first; i < path_.size(); ++i) {
      cycle.push_back(path_[i]);
      told_[i] = i + 1;
    }
    found_.cycles.push_back(std::move(cycle));
  }

  const std::vector<std::vector<std::size_t>>& needs_;
  std::vector<Mark> marks_;
  std::vector<std::size_t> next_;
  std::vector<std::size_t> position_;  // of those on the path
  std::vector<std::size_t> path_;
  // For each of the path: behind the last up to it that stands in a cycle; 0: none does.
  std::vector<std::size_t> told_;
  Walk found_;
};

}  // namespace

Walk walk(const std::vector<std::vector<std::size_t>>& needs) { return Walker{needs}.walk(); }

Links links_of(const Config& config) {
  Links links;
  std::unordered_map<std::string_view, std::size_t> index;
  const auto& specs = config.core.components;
  for (std::size_t i = 0; i < specs.size(); ++i) index.emplace(specs[i].name, i);
  links.needs.resize(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    for (const std::string& need : specs[i].needs) {
      if (const auto found = index.find(need); found != index.end()) {
        links.needs[i].push_back(found->second);
      }
    }
  }
  links.order = walk(links.needs).order;
  return links;
}

}  // namespace hearth

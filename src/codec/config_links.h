// Components of a configuration as numbers: what needs what, in which order, and what comes along.
//
// Contract   numbers are positions in the file. walk() puts needs before what needs them, but for
//            the cycles, which it tells: each component stands in one of them at most.
// Cost       walk: linear, but for what the cycles' lengths add; Closure::of: linear.
// Threads    thread-compatible. Internal to codec/.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "codec/config.h"

namespace hearth {

// Components as numbers: what they need and who they never stand beside.
struct Links {
  std::vector<std::vector<std::size_t>> needs;
  std::vector<std::unordered_set<std::size_t>> rivals;  // both sides
  std::vector<std::size_t> order;                       // needs before what needs them
};

struct Walk {
  std::vector<std::vector<std::size_t>> cycles;  // each a -> ... -> a, without the last a
  std::vector<std::size_t> order;
};

[[nodiscard]] Walk walk(const std::vector<std::vector<std::size_t>>& needs);
// Needs and order of a configuration whose names have been checked; unknown ones are left out.
[[nodiscard]] Links links_of(const Config& config);

// A component with all that it needs, itself first.
class Closure {
 public:
  explicit Closure(const Links& links) : links_(links), seen_(links.needs.size(), 0) {}

  const std::vector<std::size_t>& of(std::size_t root) {
    ++stamp_;
    members_.assign(1, root);
    seen_[root] = stamp_;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      for (const std::size_t need : links_.needs[members_[i]]) {
        if (seen_[need] == stamp_) continue;
        seen_[need] = stamp_;
        members_.push_back(need);
      }
    }
    return members_;
  }
  // Of the last of().
  [[nodiscard]] bool has(std::size_t member) const { return seen_[member] == stamp_; }

 private:
  const Links& links_;
  std::vector<std::size_t> members_;
  std::vector<std::size_t> seen_;
  std::size_t stamp_ = 0;
};

}  // namespace hearth

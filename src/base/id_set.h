// A small set of ids in their order, in one vector.
//
// Contract   as std::set, but changing it voids every iterator. Once grown it allocates no more.
// Threads    thread-compatible.
// Cost       looking up O(log n); changing O(n) of memory moved: for sets of a few hundred at most.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace hearth {

template <class Id>
class IdSet {
 public:
  bool insert(Id id) {  // false: it was there
    const auto place = std::ranges::lower_bound(ids_, id);
    if (place != ids_.end() && *place == id) return false;
    ids_.insert(place, id);
    return true;
  }
  bool erase(Id id) {  // false: it was not there
    const auto place = std::ranges::lower_bound(ids_, id);
    if (place == ids_.end() || *place != id) return false;
    ids_.erase(place);
    return true;
  }
  void clear() { ids_.clear(); }

  [[nodiscard]] bool contains(Id id) const { return std::ranges::binary_search(ids_, id); }
  [[nodiscard]] bool empty() const { return ids_.empty(); }
  [[nodiscard]] std::size_t size() const { return ids_.size(); }
  [[nodiscard]] auto begin() const { return ids_.begin(); }
  [[nodiscard]] auto end() const { return ids_.end(); }

 private:
  std::vector<Id> ids_{};
};

}  // namespace hearth

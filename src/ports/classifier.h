// Command text to components.
//
// Contract   classify() gives each component that the text speaks of its probability, ids
//            ascending; empty means "nothing needed". Invalid UTF-8 is read with replacement
//            characters.
// Threads    classify() is const and may run on several threads at once.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/engine/event.h"

namespace hearth {

class Classifier {
 public:
  virtual ~Classifier() = default;
  [[nodiscard]] virtual std::vector<Intent> classify(std::string_view text) const = 0;
};

}  // namespace hearth

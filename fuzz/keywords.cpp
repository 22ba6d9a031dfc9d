// Any bytes as keywords, example and command: what classify() promises holds.
#include "intent/keywords.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/limits.h"
#include "intent/text.h"

// The input is lines: a keyword, a phrase, an example, and the command as the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto line = [&rest] {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view out = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return std::string(out);
  };
  hearth::Vocabulary first{.component = 1,
                           .name = "one",
                           .aliases = {},
                           .keywords = {line()},
                           .examples = {},
                           .description = ""};
  hearth::Vocabulary second{.component = 2,
                            .name = "two",
                            .aliases = {},
                            .keywords = {line()},
                            .examples = {line()},
                            .description = "some words"};
  const hearth::KeywordClassifier classifier({first, second});
  std::uint32_t last = 0;
  for (const hearth::IntentScore& score : classifier.classify(rest)) {
    HEARTH_ASSERT(score.component > last && score.component <= 2);
    HEARTH_ASSERT(score.probability > 0 && score.probability <= 1);
    last = score.component;
  }

  const std::string normal = hearth::normalise(rest);
  HEARTH_ASSERT(normal.front() == ' ' && normal.back() == ' ');
  if (normal.size() <= hearth::text_bytes_max) HEARTH_ASSERT(hearth::normalise(normal) == normal);
  // A text that holds a keyword as its own word speaks of its component.
  const std::string keyword = hearth::normalise(first.keywords[0]);
  const bool is_said = keyword != " " && normal.find(keyword) != std::string::npos;
  const auto scores = classifier.classify(rest);
  const bool is_found = !scores.empty() && scores[0].component == 1 && scores[0].probability == 1.0;
  HEARTH_ASSERT(is_said == is_found);
  return 0;
}

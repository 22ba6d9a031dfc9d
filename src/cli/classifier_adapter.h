// The keyword classifier as the port that the runtime asks.
//
// Contract   make_keyword_classifier() reads name, aliases, keywords, examples and description of
//            each component; `id_of` says the engine's id of a name, none leaves it out.
// Threads    as ports/classifier.h.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "codec/config.h"
#include "ports/classifier.h"

namespace hearth {

using IdOfName = std::function<std::optional<ComponentId>(std::string_view name)>;

[[nodiscard]] std::unique_ptr<Classifier> make_keyword_classifier(const Config& config,
                                                                  const IdOfName& id_of);

}  // namespace hearth

#include "cli/classifier_adapter.h"

#include <utility>
#include <vector>

#include "intent/keywords.h"

namespace hearth {
namespace {

class KeywordAdapter final : public Classifier {
 public:
  explicit KeywordAdapter(const std::vector<Vocabulary>& vocabularies) : keywords_(vocabularies) {}

  [[nodiscard]] std::vector<Intent> classify(std::string_view text) const override {
    std::vector<Intent> intents;
    const std::vector<IntentScore> scores = keywords_.classify(text);
    intents.reserve(scores.size());
    for (const IntentScore& score : scores) {
      intents.push_back({ComponentId{score.component}, score.probability});
    }
    return intents;
  }

 private:
  KeywordClassifier keywords_;
};

}  // namespace

std::unique_ptr<Classifier> make_keyword_classifier(const Config& config, const IdOfName& id_of) {
  std::vector<Vocabulary> vocabularies;
  for (const Launch& launch : config.launches) {
    const std::optional<ComponentId> id = id_of(launch.name);
    if (!id) continue;
    vocabularies.push_back({.component = id->value,
                            .name = launch.name,
                            .aliases = launch.aliases,
                            .keywords = launch.keywords,
                            .examples = launch.examples,
                            .description = launch.description});
  }
  return std::make_unique<KeywordAdapter>(vocabularies);
}

}  // namespace hearth

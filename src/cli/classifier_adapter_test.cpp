#include "cli/classifier_adapter.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

Config config_of(std::vector<Launch> launches) {
  Config config;
  config.launches = std::move(launches);
  return config;
}

TEST(ClassifierAdapter, AnswersWithTheEnginesIdsAscending) {
  Launch ocr;
  ocr.name = "ocr";
  ocr.keywords = {"screen"};
  Launch speech;
  speech.name = "speech";
  speech.keywords = {"read aloud"};
  Launch gone;
  gone.name = "gone";
  gone.keywords = {"read"};
  const auto classifier = make_keyword_classifier(
      config_of({ocr, speech, gone}), [](std::string_view name) -> std::optional<ComponentId> {
        if (name == "ocr") return ComponentId{9};
        if (name == "speech") return ComponentId{2};
        return std::nullopt;
      });
  EXPECT_EQ(classifier->classify("read aloud what is on my screen"),
            (std::vector<Intent>{{ComponentId{2}, 1.0}, {ComponentId{9}, 1.0}}));
  EXPECT_TRUE(classifier->classify("read").empty());
}

}  // namespace
}  // namespace hearth

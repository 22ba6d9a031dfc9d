// Command text to components by what their configuration says: keywords, names, examples.
//
// Contract   classify() gives each component that the text speaks of once, components ascending,
//            with the strongest of these as its probability:
//              1.0  a keyword or key phrase, as whole words
//              0.9  its name or an alias, as whole words
//              0.6  an example: at least 60 % of its telling words, and two or more
//              0.3  an example with at least 40 % of them, or its description, two words or more
//            A word tells the more, the fewer components use it, and function words of English tell
//            nothing. Nothing is found: empty, "nothing needed".
// Errors     none: any bytes are a text (see text.h).
// Threads    classify() is const and may run on several threads at once.
// Cost       one pass over the text, whatever the number of components; for text in ASCII no memory
//            but the result, unless it speaks of very much.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "intent/aho_corasick.h"

namespace hearth {

struct Vocabulary {
  std::uint32_t component = 0;
  std::string name;
  std::vector<std::string> aliases;
  std::vector<std::string> keywords;
  std::vector<std::string> examples;
  std::string description;
};

struct IntentScore {
  std::uint32_t component = 0;
  double probability = 0;
  bool operator==(const IntentScore&) const = default;
};

class KeywordClassifier {
 public:
  static constexpr double keyword_probability = 1.0;
  static constexpr double name_probability = 0.9;
  static constexpr double example_probability = 0.6;
  static constexpr double hint_probability = 0.3;

  KeywordClassifier() : KeywordClassifier(std::vector<Vocabulary>{}) {}
  explicit KeywordClassifier(const std::vector<Vocabulary>& vocabularies);

  [[nodiscard]] std::vector<IntentScore> classify(std::string_view text) const;

 private:
  struct Phrase {
    std::uint32_t component;
    double probability;
  };
  // An example or a description: what its words weigh together.
  struct Document {
    std::uint32_t component;
    bool is_example;
    double weight;
  };
  struct Word {
    double weight;
    std::uint32_t first_posting;  // up to that of the next word
  };
  struct Build;

  AhoCorasick automaton_;  // values below phrases_.size() are phrases, the others words
  std::vector<Phrase> phrases_;
  std::vector<Word> words_;
  std::vector<std::uint32_t> postings_;  // indices of documents
  std::vector<Document> documents_;
};

}  // namespace hearth

#include "intent/keywords.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <memory_resource>
#include <set>

#include "intent/text.h"

namespace hearth {
namespace {

// Words of English that say nothing about which component is meant.
constexpr auto function_words = std::to_array<std::string_view>({
    "a",      "about", "again", "all",   "am",    "an",     "and",   "any",  "are",   "as",
    "at",     "be",    "been",  "but",   "by",    "can",    "could", "d",    "did",   "do",
    "does",   "for",   "from",  "get",   "give",  "go",     "got",   "had",  "has",   "have",
    "he",     "hello", "her",   "here",  "hey",   "hi",     "him",   "his",  "how",   "i",
    "if",     "in",    "into",  "is",    "it",    "its",    "just",  "let",  "like",  "ll",
    "m",      "make",  "may",   "me",    "might", "much",   "my",    "need", "no",    "not",
    "now",    "of",    "off",   "ok",    "okay",  "on",     "one",   "or",   "our",   "out",
    "please", "re",    "s",     "shall", "she",   "should", "so",    "some", "t",     "thanks",
    "that",   "the",   "their", "them",  "then",  "there",  "these", "they", "this",  "those",
    "to",     "too",   "up",    "us",    "ve",    "very",   "want",  "was",  "we",    "were",
    "what",   "when",  "where", "which", "who",   "why",    "will",  "with", "would", "yes",
    "you",    "your",
});
static_assert(std::is_sorted(function_words.begin(), function_words.end()));

bool is_telling(std::string_view word) {
  return !std::binary_search(function_words.begin(), function_words.end(), word);
}

constexpr double example_share = 0.6;
constexpr double hint_share = 0.4;
constexpr unsigned words_needed = 2;

}  // namespace

struct KeywordClassifier::Build {
  std::map<std::string, std::set<std::uint32_t>> documents_of;   // by word
  std::map<std::string, std::set<std::uint32_t>> components_of;  // by word

  void add_document(KeywordClassifier& classifier, const Vocabulary& vocabulary,
                    std::string_view text, bool is_example) {
    const auto document = static_cast<std::uint32_t>(classifier.documents_.size());
    const std::string normalised = normalise(text);
    bool has_words = false;
    for (const std::string_view word : words_of(normalised)) {
      if (!is_telling(word)) continue;
      documents_of[std::string(word)].insert(document);
      components_of[std::string(word)].insert(vocabulary.component);
      has_words = true;
    }
    if (has_words) classifier.documents_.push_back({vocabulary.component, is_example, 0});
  }
};

KeywordClassifier::KeywordClassifier(const std::vector<Vocabulary>& vocabularies) {
  std::vector<std::pair<std::string, Phrase>> phrases;
  Build build;
  for (const Vocabulary& vocabulary : vocabularies) {
    const auto add_phrase = [&](std::string_view text, double probability) {
      std::string normalised = normalise(text);
      if (normalised == " ") return;
      phrases.emplace_back(std::move(normalised), Phrase{vocabulary.component, probability});
    };
    for (const std::string& keyword : vocabulary.keywords) {
      add_phrase(keyword, keyword_probability);
    }
    add_phrase(vocabulary.name, name_probability);
    for (const std::string& alias : vocabulary.aliases) add_phrase(alias, name_probability);
    for (const std::string& example : vocabulary.examples) {
      build.add_document(*this, vocabulary, example, true);
    }
    build.add_document(*this, vocabulary, vocabulary.description, false);
  }

  // A normal form starts and ends with a space, so a pattern with its spaces is found at the
  // boundaries of words only.
  for (const auto& [pattern, phrase] : phrases) {
    automaton_.add(pattern, static_cast<std::uint32_t>(phrases_.size()));
    phrases_.push_back(phrase);
  }
  for (const auto& [word, documents] : build.documents_of) {
    const double weight = 1.0 / static_cast<double>(build.components_of[word].size());
    automaton_.add(" " + word + " ", static_cast<std::uint32_t>(phrases_.size() + words_.size()));
    words_.push_back({weight, static_cast<std::uint32_t>(postings_.size())});
    for (const std::uint32_t document : documents) {
      postings_.push_back(document);
      documents_[document].weight += weight;
    }
  }
  words_.push_back({0, static_cast<std::uint32_t>(postings_.size())});
  automaton_.build();
}

std::vector<IntentScore> KeywordClassifier::classify(std::string_view text) const {
  std::array<std::byte, 8192> buffer;
  std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size());
  std::pmr::vector<std::uint32_t> said(&memory);  // words, each as often as it was said
  said.reserve(128);
  std::vector<IntentScore> scores;

  AhoCorasick::State state = AhoCorasick::start;
  feed_normalised(text, [&](char byte) {
    state = automaton_.step(state, byte, [&](std::uint32_t value) {
      if (value < phrases_.size()) {
        scores.push_back({phrases_[value].component, phrases_[value].probability});
      } else {
        said.push_back(value - static_cast<std::uint32_t>(phrases_.size()));
      }
    });
  });

  std::sort(said.begin(), said.end());
  said.erase(std::unique(said.begin(), said.end()), said.end());
  struct Hit {
    std::uint32_t document;
    std::uint32_t word;
  };
  std::pmr::vector<Hit> hits(&memory);
  hits.reserve(256);
  for (const std::uint32_t word : said) {
    for (std::uint32_t i = words_[word].first_posting; i < words_[word + 1].first_posting; ++i) {
      hits.push_back({postings_[i], word});
    }
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.document != b.document ? a.document < b.document : a.word < b.word;
  });
  for (std::size_t i = 0; i < hits.size();) {
    const Document& document = documents_[hits[i].document];
    double weight = 0;
    unsigned count = 0;
    const std::uint32_t same = hits[i].document;
    for (; i < hits.size() && hits[i].document == same; ++i, ++count) {
      weight += words_[hits[i].word].weight;
    }
    if (count < words_needed) continue;
    const double share = weight / document.weight + 1e-9;  // three fifths in doubles may be less
    if (document.is_example && share >= example_share) {
      scores.push_back({document.component, example_probability});
    } else if (!document.is_example || share >= hint_share) {
      scores.push_back({document.component, hint_probability});
    }
  }

  std::sort(scores.begin(), scores.end(), [](const IntentScore& a, const IntentScore& b) {
    return a.component != b.component ? a.component < b.component : a.probability > b.probability;
  });
  scores.erase(std::unique(scores.begin(), scores.end(),
                           [](const IntentScore& a, const IntentScore& b) {
                             return a.component == b.component;
                           }),
               scores.end());
  return scores;
}

}  // namespace hearth

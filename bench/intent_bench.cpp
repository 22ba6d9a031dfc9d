// How long a command's text takes to classify: 64 components with 8 keywords each, and examples.
//
//   intent_bench [rounds]    prints nanoseconds a command, median and 99th percentile
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/prng.h"
#include "intent/keywords.h"

namespace {

using hearth::KeywordClassifier;
using hearth::Prng;
using hearth::Vocabulary;

std::string word(Prng& prng) {
  std::string out;
  const std::uint64_t length = 3 + prng.below(7);
  for (std::uint64_t i = 0; i < length; ++i) {
    out.push_back(static_cast<char>('a' + prng.below(26)));
  }
  return out;
}

std::vector<Vocabulary> vocabularies(Prng& prng, std::uint32_t components) {
  std::vector<Vocabulary> all;
  for (std::uint32_t id = 0; id < components; ++id) {
    Vocabulary one;
    one.component = id;
    one.name = word(prng);
    for (int i = 0; i < 8; ++i) {
      one.keywords.push_back(i % 4 == 0 ? word(prng) + " " + word(prng) : word(prng));
    }
    for (int i = 0; i < 2; ++i) {
      one.examples.push_back(word(prng) + " " + word(prng) + " " + word(prng));
    }
    one.description = word(prng) + " " + word(prng) + " " + word(prng) + " " + word(prng);
    all.push_back(std::move(one));
  }
  return all;
}

// Half of the commands hold one keyword or more, the others nothing that is known.
std::vector<std::string> commands(Prng& prng, const std::vector<Vocabulary>& known,
                                  std::string_view ending) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1024; ++i) {
    std::string text = "Can you ";
    for (int w = 0; w < 4; ++w) text += word(prng) + " ";
    if (i % 2 == 0) {
      const Vocabulary& about = known[prng.below(known.size())];
      text += about.keywords[prng.below(about.keywords.size())];
    } else {
      text += word(prng);
    }
    texts.push_back(text + std::string(ending));
  }
  return texts;
}

void measure(const char* name, const KeywordClassifier& classifier,
             const std::vector<std::string>& texts, int rounds) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t batch = 16;  // the clock itself costs tens of nanoseconds
  std::vector<double> times;
  std::size_t found = 0;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i + batch <= texts.size(); i += batch) {
      const auto begin = Clock::now();
      for (std::size_t k = i; k < i + batch; ++k) found += classifier.classify(texts[k]).size();
      const std::chrono::duration<double, std::nano> span = Clock::now() - begin;
      times.push_back(span.count() / static_cast<double>(batch));
    }
  }
  std::sort(times.begin(), times.end());
  std::printf("%-22s p50 %7.0f ns  p99 %7.0f ns a command (%zu found)\n", name,
              times[times.size() / 2], times[times.size() * 99 / 100], found);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 200;
  Prng prng(1);
  for (const std::uint32_t components : {64U, 4096U}) {
    const std::vector<Vocabulary> known = vocabularies(prng, components);
    const KeywordClassifier classifier(known);
    std::printf("%u components\n", components);
    measure("  ASCII", classifier, commands(prng, known, "?"), rounds);
    measure("  with one accent", classifier, commands(prng, known, " caf\u00e9?"), rounds);
  }
  return 0;
}

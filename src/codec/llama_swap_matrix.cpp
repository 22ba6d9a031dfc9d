// The matrix: expressions over models, each standing for combinations that may be loaded together.
//
//   either = both { "|" both }        a union
//   both   = atom { "&" atom }        every choice of one with every choice of the next
//   atom   = NAME | "+" SET | "(" either ")"
#include <algorithm>
#include <functional>
#include <map>

#include "codec/config_reader.h"
#include "codec/llama_swap_rivals.h"

namespace hearth {
namespace {

using Combination = std::set<std::size_t>;
using Combinations = std::set<Combination>;

constexpr std::size_t parentheses_max = 32;

bool is_word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         c == '-' || c == '.' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

// What a name or +NAME stands for; none when it is unknown.
struct Meaning {
  std::function<std::optional<std::size_t>(const std::string&)> model;
  std::function<Result<Combinations>(const std::string&)> set;
};

class Expression {
 public:
  Expression(std::string_view text, const Meaning& meaning) : text_(text), meaning_(meaning) {}

  Result<Combinations> expand() {
    Combinations all = HEARTH_TRY(either());
    if (next() != '\0') return fail(Errc::invalid, "not understood at " + quoted(rest()));
    return all;
  }

 private:
  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word_character(text_[at_])) ++at_;
    return std::string{text_.substr(begin, at_ - begin)};
  }
  static Result<> check(std::size_t count) {
    if (count <= combinations_max) return {};
    return fail(Errc::invalid, "more than " + std::to_string(combinations_max) + " combinations");
  }

  Result<Combinations> either() {
    Combinations all = HEARTH_TRY(both());
    while (next() == '|') {
      ++at_;
      all.merge(HEARTH_TRY(both()));
      HEARTH_TRY(check(all.size()));
    }
    return all;
  }
  Result<Combinations> both() {
    Combinations all = HEARTH_TRY(atom());
    while (next() == '&') {
      ++at_;
      const Combinations more = HEARTH_TRY(atom());
      HEARTH_TRY(check(all.size() * more.size()));
      Combinations products;
      for (const Combination& left : all) {
        for (const Combination& right : more) {
          Combination product = left;
          product.insert(right.begin(), right.end());
          products.insert(std::move(product));
        }
      }
      all = std::move(products);
    }
    return all;
  }
  Result<Combinations> atom() {
    const char first = next();
    if (first == '(') {
      if (++depth_ > parentheses_max) return fail(Errc::invalid, "parentheses are nested too deep");
      ++at_;
      Combinations inner = HEARTH_TRY(either());
      if (next() != ')') return fail(Errc::invalid, "a parenthesis is not closed");
      ++at_;
      --depth_;
      return inner;
    }
    const bool is_set = first == '+';
    if (is_set) ++at_;
    const std::string name = word();
    if (name.empty()) {
      const bool is_end = next() == '\0';
      return fail(Errc::invalid, is_end ? "it ends where a model should stand"
                                        : "not understood at " + quoted(rest()));
    }
    if (is_set) return meaning_.set(name);
    const auto model = meaning_.model(name);
    if (!model) return fail(Errc::invalid, quoted(name) + " is no model of the file");
    return Combinations{{*model}};
  }

  std::string_view text_;
  const Meaning& meaning_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

class Matrix {
 public:
  Matrix(const YamlNode& node, const ComponentNames& names, ImportNotes& notes)
      : node_(node), names_(names), notes_(notes) {}

  Rivals rivals() {
    if (!node_.is_map()) {
      notes_.error(node_.place, "`matrix` must be a section with `sets`, not " + described(node_));
      return Rivals(names_.size());
    }
    for (std::size_t k = 0; k < node_.keys.size(); ++k) {
      const std::string& key = node_.keys[k].text;
      if (key == "vars") {
        read_short_names(node_.items[k]);
      } else if (key == "evict_costs") {
        notes_.note(node_.keys[k].place,
                    "`matrix.evict_costs` is left out: Hearth weighs what a component costs to "
                    "load again by what it measured; `priority` says who goes last");
      } else if (key != "sets") {
        notes_.note(node_.keys[k].place, "unknown key " + quoted(key) +
                                             " in `matrix`, left out: Hearth has nothing by "
                                             "this name");
      }
    }
    read_sets();
    if (notes_.has_error()) return Rivals(names_.size());
    note_what_pairs_cannot_say();
    return rivals_of_combinations();
  }

 private:
  void read_short_names(const YamlNode& vars) {
    if (!vars.is_map()) {
      notes_.error(vars.place,
                   "`matrix.vars` must be a section of short names, not " + described(vars));
      return;
    }
    for (std::size_t i = 0; i < vars.keys.size(); ++i) {
      const auto model = names_.find(vars.items[i].text);
      if (vars.items[i].is_scalar() && model) {
        short_names_[vars.keys[i].text] = *model;
      } else {
        notes_.error(vars.items[i].place, "`matrix.vars`: " + quoted(vars.keys[i].text) +
                                              " names " + described(vars.items[i]) +
                                              ", which is no model of the file");
      }
    }
  }

  void read_sets() {
    const YamlNode* sets = node_.find("sets");
    if (sets == nullptr || !sets->is_map()) {
      notes_.error(sets == nullptr ? node_.place : sets->place,
                   "`matrix.sets` must be a section of sets by name");
      return;
    }
    for (std::size_t i = 0; i < sets->keys.size(); ++i) {
      const auto expanded = expand_set(sets->keys[i].text);
      if (!expanded) {
        notes_.error(sets->items[i].place, "`matrix.sets`: " + quoted(sets->keys[i].text) + ": " +
                                               expanded.error().detail);
        return;
      }
      combinations_.insert(expanded->begin(), expanded->end());
      if (combinations_.size() > combinations_max) {
        notes_.error(sets->place, "`matrix.sets` makes more than " +
                                      std::to_string(combinations_max) + " combinations");
        return;
      }
    }
  }

  Result<Combinations> expand_set(const std::string& name) {
    if (const auto found = expanded_.find(name); found != expanded_.end()) return found->second;
    const YamlNode* set = node_.find("sets")->find(name);
    if (set == nullptr) return fail(Errc::invalid, quoted("+" + name) + " is no set");
    if (!set->is_scalar()) {
      return fail(Errc::invalid, "expected a text such as \"(a | b) & c\", not " + described(*set));
    }
    const bool is_circle = std::ranges::find(open_, name) != open_.end();
    if (is_circle) return fail(Errc::invalid, "it leads to itself through " + quoted("+" + name));
    if (open_.size() >= parentheses_max) return fail(Errc::invalid, "sets are nested too deep");
    open_.push_back(name);
    const Meaning meaning{.model = [this](const std::string& word) { return model_of(word); },
                          .set = [this](const std::string& word) { return expand_set(word); }};
    Combinations all = HEARTH_TRY(Expression(set->text, meaning).expand());
    open_.pop_back();
    expanded_[name] = all;
    return all;
  }

  [[nodiscard]] std::optional<std::size_t> model_of(const std::string& word) const {
    if (const auto found = short_names_.find(word); found != short_names_.end()) {
      return found->second;
    }
    return names_.find(word);
  }

  [[nodiscard]] std::vector<std::set<std::size_t>> companions() const {
    std::vector<std::set<std::size_t>> all(names_.size());
    for (const Combination& combination : combinations_) {
      for (const std::size_t model : combination) {
        all[model].insert(combination.begin(), combination.end());
      }
    }
    return all;
  }

  [[nodiscard]] Rivals rivals_of_combinations() const {
    const std::vector<std::set<std::size_t>> beside = companions();
    Rivals rivals(names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i) {
      for (std::size_t other = 0; other < i; ++other) {
        if (!beside[i].contains(other)) rivals[i].insert(other);
      }
    }
    return rivals;
  }

  // Rivals are pairs. Where every two of some models may meet, though not all of them, pairs allow
  // more than the matrix. It is enough to look at a combination and one model that is not in it: a
  // smallest set that is allowed by pairs alone lacks one model of being allowed.
  void note_what_pairs_cannot_say() {
    constexpr std::size_t looks_max = 2'000'000;
    const std::vector<std::set<std::size_t>> beside = companions();
    std::size_t looks = 0;
    for (const Combination& combination : combinations_) {
      for (std::size_t model = 0; model < names_.size(); ++model) {
        if (combination.contains(model) || beside[model].empty()) continue;
        Combination together{model};
        std::ranges::set_intersection(combination, beside[model],
                                      std::inserter(together, together.end()));
        if (together.size() < 3) continue;
        const bool is_allowed = std::ranges::any_of(combinations_, [&](const Combination& each) {
          ++looks;
          return std::ranges::includes(each, together);
        });
        if (!is_allowed) {
          note_too_many(together);
          return;
        }
        if (looks > looks_max) return;
      }
    }
  }

  void note_too_many(const Combination& together) {
    std::string all;
    for (const std::size_t model : together) {
      all += (all.empty() ? "" : ", ") + quoted(names_.name(model));
    }
    notes_.note(node_.place, "`matrix` lets every two of " + all +
                                 " meet but not all of them; `conflicts` are between two, so here "
                                 "only memory keeps them apart");
  }

  const YamlNode& node_;
  const ComponentNames& names_;
  ImportNotes& notes_;
  std::map<std::string, std::size_t> short_names_;
  std::map<std::string, Combinations> expanded_;
  std::vector<std::string> open_;
  Combinations combinations_;
};

}  // namespace

Rivals rivals_of_matrix(const YamlNode& matrix, const ComponentNames& names, ImportNotes& notes) {
  return Matrix{matrix, names, notes}.rivals();
}

}  // namespace hearth

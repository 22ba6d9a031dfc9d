// Command lines to words, and names that are near others.
#include <algorithm>
#include <array>

#include "codec/config.h"

namespace hearth {
namespace {

// One pass over a command line. Quoting as in POSIX 2.2: \ outside of quotes, '...' literal,
// "..." with \ before $ ` " \ and newline.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  Result<std::vector<std::string>> split() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == ' ' || c == '\t' || c == '\n') {
        end_word();
      } else if (c == '\'') {
        HEARTH_TRY(single_quoted());
      } else if (c == '"') {
        HEARTH_TRY(double_quoted());
      } else if (c == '\\') {
        HEARTH_TRY(escaped());
      } else {
        add(c);
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  void add(char c) {
    word_ += c;
    is_in_word_ = true;
  }
  void end_word() {
    if (is_in_word_) words_.push_back(std::move(word_));
    word_.clear();
    is_in_word_ = false;
  }
  Result<> escaped() {
    if (at_ == text_.size()) return fail(Errc::invalid, "a backslash ends the command");
    const char c = text_[at_++];
    if (c != '\n') add(c);
    return {};
  }
  Result<> single_quoted() {
    const std::size_t end = text_.find('\'', at_);
    if (end == std::string_view::npos) return fail(Errc::invalid, "a quote (') is not closed");
    word_ += text_.substr(at_, end - at_);
    is_in_word_ = true;
    at_ = end + 1;
    return {};
  }
  Result<> double_quoted() {
    is_in_word_ = true;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return {};
      if (c == '\\' && at_ < text_.size()) {
        const char next = text_[at_];
        if (next == '\n') {
          ++at_;
          continue;
        }
        if (next == '$' || next == '`' || next == '"' || next == '\\') {
          c = next;
          ++at_;
        }
      }
      word_ += c;
    }
    return fail(Errc::invalid, "a quote (\") is not closed");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
  std::string word_;
  bool is_in_word_ = false;
};

constexpr std::size_t compared_length_max = 128;

std::string lowered(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  using Line = std::array<std::size_t, compared_length_max + 1>;
  Line older{};
  Line before{};
  Line now{};
  for (std::size_t j = 0; j <= b.size(); ++j) before[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({before[j] + 1, now[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], older[j - 2] + 1);
      }
    }
    older = before;
    before = now;
  }
  return before[b.size()];
}

}  // namespace

Result<std::vector<std::string>> split_command(std::string_view text) {
  return Splitter{text}.split();
}

std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t shown_max = 3;
  if (name.empty() || name.size() > compared_length_max) return {};
  const std::string wanted = lowered(name);
  std::vector<std::pair<std::size_t, std::size_t>> found;  // how far apart, index
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& candidate = names[i];
    const std::size_t longer = std::max(wanted.size(), candidate.size());
    const std::size_t shorter = std::min(wanted.size(), candidate.size());
    const std::size_t allowed = std::max<std::size_t>(longer / 3, 1);
    if (shorter == 0 || longer > compared_length_max || longer - shorter > allowed) continue;
    const std::size_t apart = distance(wanted, lowered(candidate));
    if (apart <= allowed && apart < longer) found.emplace_back(apart, i);
  }
  std::ranges::sort(found);
  std::vector<std::string> result;
  for (const auto& [apart, i] : found) {
    if (result.size() == shown_max) break;
    result.push_back(names[i]);
  }
  return result;
}

}  // namespace hearth

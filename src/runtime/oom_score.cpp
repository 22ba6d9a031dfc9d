#include "runtime/oom_score.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "runtime/files.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

std::string score_path(pid_t process) {
  return "/proc/" + std::to_string(process) + "/oom_score_adj";
}

constexpr std::array<int, limit_of(Priority{})> above_ours{700, 500, 300, 100};
static_assert(above_ours[static_cast<std::size_t>(Priority::core)] == 100);
static_assert(std::ranges::is_sorted(above_ours, std::ranges::greater{}));

}  // namespace

int oom_score_for(Priority priority, int own) {
  constexpr int most = 1000;
  return std::min(std::max(own, 0) + above_ours.at(static_cast<std::size_t>(priority)), most);
}

int own_oom_score() {
  int score = 0;
  const auto text = read_file(score_path(::getpid()));
  if (text) (void)std::from_chars(text->data(), text->data() + text->size(), score);
  return score;
}

void set_oom_score(pid_t root, int score) {
  const std::string text = std::to_string(score);
  // What was forked by one that was not set yet is found by the second look.
  for (int round = 0; round < 2; ++round) {
    std::vector<pid_t> tree = descendants(root);
    tree.push_back(root);
    for (const pid_t process : tree) (void)put_into(score_path(process), text);
  }
}

}  // namespace hearth

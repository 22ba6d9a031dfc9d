#include "runtime/own_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/files.h"
#include "runtime/lines.h"

namespace hearth {
namespace {

constexpr std::string_view leaf = "/hearth-daemon";
constexpr std::array<std::string_view, 3> controllers{"memory", "pids", "cpu"};

bool move_to(const std::string& directory) {
  return put_into(directory + "/cgroup.procs", std::to_string(::getpid()));
}

// A process of another namespace shows as 0, which is not us either.
bool holds_only_us(const std::string& directory) {
  const auto text = read_file(directory + "/cgroup.procs");
  return text && *text == std::to_string(::getpid()) + "\n";
}

bool has_word(const std::string& path, std::string_view word) {
  const auto text = read_file(path);
  if (!text) return false;
  std::string words = " " + *text;
  std::ranges::replace(words, '\n', ' ');
  return words.find(" " + std::string{word} + " ") != words.npos;
}

// One by one: what is delegated is often not all of them.
bool enable_controllers(const std::string& directory) {
  bool is_any = false;
  for (const std::string_view controller : controllers) {
    if (!has_word(directory + "/cgroup.controllers", controller)) continue;
    const std::string file = directory + "/cgroup.subtree_control";
    is_any = put_into(file, "+" + std::string{controller}) || is_any;
  }
  return is_any;
}

void leave(const std::string& directory) {
  const std::string inside = directory + std::string{leaf};
  if (!holds_only_us(inside)) return;
  for (const std::string_view controller : controllers) {
    (void)put_into(directory + "/cgroup.subtree_control", "-" + std::string{controller});
  }
  if (move_to(directory)) (void)::rmdir(inside.c_str());
}

}  // namespace

std::vector<GroupPlace> parse_own_groups(std::string_view text) {
  std::vector<GroupPlace> places;
  each_line(text, [&](std::string_view line) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) return;
    GroupPlace place{.controllers = {}, .path = std::string{line.substr(second + 1)}};
    std::string_view names = line.substr(first + 1, second - first - 1);
    while (!names.empty()) {
      const std::size_t comma = std::min(names.find(','), names.size());
      if (comma > 0) place.controllers.emplace_back(names.substr(0, comma));
      names.remove_prefix(std::min(comma + 1, names.size()));
    }
    places.push_back(std::move(place));
  });
  return places;
}

std::optional<std::string> own_group(std::string_view controller) {
  const auto text = read_file("/proc/self/cgroup");
  if (!text) return std::nullopt;
  for (GroupPlace& place : parse_own_groups(*text)) {
    const bool is_it = controller.empty() ? place.controllers.empty()
                                          : std::ranges::find(place.controllers, controller) !=
                                                place.controllers.end();
    if (is_it) return std::move(place.path);
  }
  return std::nullopt;
}

std::string group_for_components(std::string own) {
  if (own.ends_with(leaf)) own.resize(own.size() - leaf.size());
  return own;
}

DaemonLeaf DaemonLeaf::enter() {
  DaemonLeaf entered;
  auto own = own_group("");
  if (!own) return entered;
  if (*own == "/") own->clear();
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    const std::string directory = mount + group_for_components(*own);
    // Absent of the root group, and of a directory that is no group of version 2.
    if (::access((directory + "/cgroup.type").c_str(), R_OK) != 0) continue;
    if (*own != group_for_components(*own)) {
      entered.is_entered_ = enable_controllers(directory);
      break;
    }
    if (!holds_only_us(directory)) break;
    const std::string inside = directory + std::string{leaf};
    // One that was killed leaves its leaf behind.
    if (::mkdir(inside.c_str(), 0755) != 0 && errno != EEXIST) break;
    if (!move_to(inside)) {
      (void)::rmdir(inside.c_str());
      break;
    }
    entered.is_entered_ = enable_controllers(directory);
    if (entered.is_entered_) {
      entered.group_ = directory;
    } else {
      leave(directory);
    }
    break;
  }
  return entered;
}

DaemonLeaf::DaemonLeaf(DaemonLeaf&& other) noexcept
    : group_(std::exchange(other.group_, {})),
      is_entered_(std::exchange(other.is_entered_, false)) {}

DaemonLeaf::~DaemonLeaf() {
  if (!group_.empty()) leave(group_);
}

}  // namespace hearth

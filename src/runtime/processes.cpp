#include "runtime/processes.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>

#include "runtime/files.h"
#include "runtime/lines.h"

namespace hearth {
namespace {

std::optional<pid_t> parse_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

std::vector<pid_t> numbers_in(const std::string& directory) {
  std::vector<pid_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing{::opendir(directory.c_str()), &::closedir};
  if (!listing) return found;
  while (const dirent* entry = ::readdir(listing.get())) {
    if (const auto pid = parse_pid(entry->d_name)) found.push_back(*pid);
  }
  return found;
}

std::string proc(pid_t pid, std::string_view rest) {
  return "/proc/" + std::to_string(pid) + "/" + std::string{rest};
}

bool is_children_file_there() {
  return ::access(proc(::getpid(), "task/" + std::to_string(::getpid()) + "/children").c_str(),
                  R_OK) == 0;
}

std::vector<pid_t> children_by_file(pid_t parent) {
  std::vector<pid_t> children;
  for (const pid_t thread : numbers_in(proc(parent, "task"))) {
    const auto text = read_file(proc(parent, "task/" + std::to_string(thread) + "/children"));
    if (!text) continue;
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t space = std::min(rest.find(' '), rest.size());
      if (const auto pid = parse_pid(rest.substr(0, space))) children.push_back(*pid);
      rest.remove_prefix(std::min(space + 1, rest.size()));
    }
  }
  return children;
}

// "pid (name) state ppid ...", where the name may hold anything.
std::optional<pid_t> parent_of(pid_t pid) {
  const auto text = read_file(proc(pid, "stat"));
  if (!text) return std::nullopt;
  const std::size_t close = text->rfind(") ");
  if (close == std::string::npos || close + 4 >= text->size()) return std::nullopt;
  const std::string_view rest = std::string_view{*text}.substr(close + 4);
  return parse_pid(rest.substr(0, rest.find(' ')));
}

std::multimap<pid_t, pid_t> children_by_scan() {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : numbers_in("/proc")) {
    if (const auto parent = parent_of(pid)) children.emplace(*parent, pid);
  }
  return children;
}

}  // namespace

std::vector<pid_t> descendants(pid_t root) {
  static const bool has_children_file = is_children_file_there();
  std::vector<pid_t> found{root};
  if (has_children_file) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto children = children_by_file(found[i]);
      found.insert(found.end(), children.begin(), children.end());
    }
  } else {
    const auto children = children_by_scan();
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto [begin, end] = children.equal_range(found[i]);
      for (auto child = begin; child != end; ++child) found.push_back(child->second);
    }
  }
  found.erase(found.begin());
  return found;
}

std::optional<MemoryFigures> parse_smaps_rollup(std::string_view text) {
  std::map<std::string_view, std::uint64_t> kib;
  each_line(text, [&](std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !line.ends_with(" kB")) return;
    const auto value = whole_number(trimmed(line.substr(colon + 1)));
    if (value) kib.emplace(line.substr(0, colon), *value);
  });
  if (!kib.contains("Pss")) return std::nullopt;
  const auto bytes = [&](std::string_view key) {
    const auto row = kib.find(key);
    return Bytes{row == kib.end() ? 0 : row->second * 1024};
  };
  MemoryFigures figures;
  figures.pss = bytes("Pss");
  if (kib.contains("Pss_Anon")) {
    figures.anonymous = bytes("Pss_Anon") + bytes("Pss_Shmem") + bytes("SwapPss");
    figures.file_exclusive = std::min(bytes("Private_Clean"), bytes("Pss_File"));
    figures.file_shared = less(bytes("Pss_File"), figures.file_exclusive);
  } else {  // before Linux 5.9
    figures.anonymous = bytes("Anonymous") + bytes("SwapPss");
    figures.file_exclusive = bytes("Private_Clean");
    figures.file_shared = less(figures.pss, bytes("Anonymous") + figures.file_exclusive);
  }
  return figures;
}

MemoryFigures memory_of(const std::vector<pid_t>& processes) {
  MemoryFigures sum;
  for (const pid_t pid : processes) {
    const auto text = read_file(proc(pid, "smaps_rollup"));
    const auto one = text ? parse_smaps_rollup(*text) : std::nullopt;
    if (!one) continue;
    sum.anonymous += one->anonymous;
    sum.file_exclusive += one->file_exclusive;
    sum.file_shared += one->file_shared;
    sum.pss += one->pss;
  }
  return sum;
}

MemoryFigures tree_memory(pid_t root) {
  std::vector<pid_t> tree = descendants(root);
  tree.push_back(root);
  return memory_of(tree);
}

bool has_capability(std::string_view status, unsigned number) {
  bool is_there = false;
  each_line(status, [&](std::string_view line) {
    constexpr std::string_view key = "CapEff:";
    if (!line.starts_with(key)) return;
    const std::string_view digits = trimmed(line.substr(key.size()));
    std::uint64_t mask = 0;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), mask, 16);
    is_there = ((mask >> number) & 1U) != 0;
  });
  return is_there;
}

std::vector<pid_t> marked_processes(std::string_view assignment) {
  std::vector<pid_t> marked;
  for (const pid_t pid : numbers_in("/proc")) {
    if (pid == ::getpid()) continue;
    const auto text = read_file(proc(pid, "environ"));
    if (!text) continue;
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\0'), rest.size());
      if (rest.substr(0, end) == assignment) {
        marked.push_back(pid);
        break;
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return marked;
}

void kill_all(const std::vector<pid_t>& processes) {
  for (const pid_t pid : processes) (void)::kill(pid, SIGKILL);
}

std::string exit_text(int status) {
  int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  // What a shell makes of a signal that ended its command.
  if (number == 0 && code > 128 && code <= 128 + 31) number = code - 128;
  if (number == 0) return "exit status " + std::to_string(code);
  const char* name = sigabbrev_np(number);
  std::string text = name != nullptr ? "killed by SIG" + std::string{name}
                                     : "killed by signal " + std::to_string(number);
  if (WIFEXITED(status)) text += ", exit status " + std::to_string(code);
  if (number == SIGKILL) text += killed_guess;
  return text;
}

}  // namespace hearth

#include "platform/group_facts.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>

#include "runtime/component_group.h"
#include "runtime/files.h"
#include "runtime/lines.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

#ifndef MADV_PAGEOUT
constexpr int madvise_pageout = 21;  // Linux 5.4; older headers do not name it
#else
constexpr int madvise_pageout = MADV_PAGEOUT;
#endif

std::vector<std::string> parted(std::string_view text, char mark) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(mark), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string text_in(const std::string& path) {
  const auto text = read_file(path);
  return text ? std::string{trimmed(*text)} : std::string{};
}

// A copy of this process that waits until it is killed, with one page of it that both know.
class Child {
 public:
  Child()
      : page_size_{static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))},
        page_{::mmap(nullptr, page_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0)} {
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) return;
    // If we were killed it is nobody's any more.
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    if (page_ != MAP_FAILED) *static_cast<volatile char*>(page_) = 1;
    for (;;) ::pause();
  }
  ~Child() {
    if (pid_ > 0) {
      (void)::kill(pid_, SIGKILL);
      while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    if (page_ != MAP_FAILED) (void)::munmap(page_, page_size_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] bool is_there() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool can_be_paged_out() const {
    if (page_ == MAP_FAILED) return false;
    const Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
    const iovec range{page_, page_size_};
    return process.is_open() &&
           ::syscall(SYS_process_madvise, process.get(), &range, 1UL, madvise_pageout, 0U) >= 0;
  }

 private:
  std::size_t page_size_;
  void* page_;
  pid_t pid_ = -1;
};

// A group as the daemon makes it, with a child in it, for as long as this lives.
class TriedGroup {
 public:
  explicit TriedGroup(const GroupLimits& limits)
      : group_{ComponentGroup::make("doctor", limits)},
        is_in_force_{child_ && child_->is_there() && group_.add(child_->pid())} {}
  ~TriedGroup() {
    child_.reset();  // a group with a process in it stays
    group_.remove();
  }
  TriedGroup(const TriedGroup&) = delete;
  TriedGroup& operator=(const TriedGroup&) = delete;

  [[nodiscard]] bool is_in_force() const { return is_in_force_; }
  [[nodiscard]] bool can_write(std::string_view file) const {
    return std::ranges::any_of(group_.directories(), [&](const std::string& directory) {
      return ::access((directory + "/" + std::string{file}).c_str(), W_OK) == 0;
    });
  }
  [[nodiscard]] bool can_page_out() const {
    return child_->is_there() && child_->can_be_paged_out();
  }

 private:
  std::unique_ptr<Child> child_ = std::make_unique<Child>();
  ComponentGroup group_;
  bool is_in_force_;
};

}  // namespace

std::vector<GroupHierarchy> parse_groups(std::string_view self_cgroup, std::string_view mounts) {
  std::map<std::string, std::string> paths;  // by controller; "" is version 2
  for (const GroupPlace& place : parse_own_groups(self_cgroup)) {
    if (place.controllers.empty()) paths[""] = place.path;
    for (const std::string& name : place.controllers) paths[name] = place.path;
  }
  std::vector<GroupHierarchy> found;
  each_line(mounts, [&](std::string_view line) {
    (void)cut_word(line);
    GroupHierarchy one{.mount = std::string{cut_word(line)}};
    const std::string_view kind = cut_word(line);
    one.is_version_2 = kind == "cgroup2";
    if (!one.is_version_2 && kind != "cgroup") return;
    auto path = one.is_version_2 ? paths.find("") : paths.end();
    // The options name the controllers, among other things.
    for (const std::string& option : parted(cut_word(line), ',')) {
      const auto named = one.is_version_2 ? paths.end() : paths.find(option);
      if (named == paths.end() || option.starts_with("name=")) continue;
      path = named;
      one.controllers.push_back(option);
    }
    if (path == paths.end()) return;
    one.directory = one.mount + (path->second == "/" ? "" : path->second);
    found.push_back(std::move(one));
  });
  return found;
}

std::vector<GroupHierarchy> read_groups(const std::string& root) {
  auto groups =
      parse_groups(text_in(root + "/proc/self/cgroup"), text_in(root + "/proc/self/mounts"));
  for (GroupHierarchy& group : groups) {
    if (!group.is_version_2) continue;
    group.controllers = parted(text_in(root + group.directory + "/cgroup.controllers"), ' ');
  }
  return groups;
}

GroupTrial try_groups() {
  GroupTrial trial;
  {
    const TriedGroup memory{{.memory = 1_GiB}};
    trial.has_memory_limit = memory.is_in_force();
    trial.can_freeze = memory.can_write("cgroup.freeze");
    trial.can_reclaim = memory.can_write("memory.reclaim");
    trial.can_page_out = memory.can_page_out();
  }
  trial.has_pids_limit = TriedGroup{{.pids = 100}}.is_in_force();
  trial.has_cpu_limit = TriedGroup{{.cpu_us = 100'000}}.is_in_force();
  return trial;
}

}  // namespace hearth

#include "runtime/paging.h"

#include <dirent.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/files.h"
#include "runtime/lines.h"
#include "runtime/own_group.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

constexpr unsigned cap_sys_nice = 23;
constexpr Bytes step = 64_MiB;

std::string proc(pid_t pid, std::string_view rest) {
  return "/proc/" + std::to_string(pid) + "/" + std::string{rest};
}

Bytes kib_for(std::string_view text, std::string_view key) {
  return Bytes{number_for(text, key).value_or(0) * 1024};
}

// The group of version 2 that was made for the component: "hearth-NAME-ROOT".
std::optional<std::string> group_of(pid_t root) {
  const std::string ending = "-" + std::to_string(root);
  for (const pid_t pid : descendants(root)) {
    const auto text = read_file(proc(pid, "cgroup"));
    if (!text) continue;
    for (const GroupPlace& place : parse_own_groups(*text)) {
      const std::string_view path = place.path;
      const std::string_view last = path.substr(path.rfind('/') + 1);
      const bool is_ours = last.starts_with("hearth-") && last.ends_with(ending);
      if (!place.controllers.empty() || !is_ours) continue;
      for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        const std::string folder = mount + place.path;
        if (::access((folder + "/cgroup.freeze").c_str(), W_OK) == 0) return folder;
      }
    }
  }
  return std::nullopt;
}

bool is_stopped(pid_t pid) {
  const auto text = read_file(proc(pid, "stat"));
  if (!text) return true;  // it has ended
  const std::size_t close = text->rfind(") ");
  if (close == text->npos || close + 2 >= text->size()) return true;
  const char state = (*text)[close + 2];
  return state == 'T' || state == 't' || state == 'Z' || state == 'X';
}

template <class Done>
bool await(Done done) {
  for (int round = 0; round < 200; ++round) {
    if (done()) return true;
    (void)::poll(nullptr, 0, round < 20 ? 1 : 10);
  }
  return false;
}

// What the swap takes of ram.
Bytes ram_of_swap() {
  Bytes sum;
  const auto memory = read_file("/proc/meminfo");
  if (memory) sum += kib_for(*memory, "Zswap");
  const auto swaps = read_file("/proc/swaps");
  if (!swaps) return sum;
  const std::unique_ptr<DIR, int (*)(DIR*)> blocks{::opendir("/sys/block"), &::closedir};
  while (const dirent* entry = blocks ? ::readdir(blocks.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (!name.starts_with("zram") || swaps->find("/" + name + " ") == swaps->npos) continue;
    // orig_data_size compr_data_size mem_used_total ...
    const auto text = read_file("/sys/block/" + name + "/mm_stat");
    std::string_view rest = text ? std::string_view{*text} : std::string_view{};
    (void)cut_word(rest);
    (void)cut_word(rest);
    sum += Bytes{whole_number(rest).value_or(0)};
  }
  return sum;
}

struct TreeMemory {
  Bytes resident;  // anonymous, with shared memory
  Bytes swapped;
};

TreeMemory status_of(const std::vector<pid_t>& tree) {
  TreeMemory sum;
  for (const pid_t pid : tree) {
    const auto text = read_file(proc(pid, "status"));
    if (!text) continue;
    sum.resident += kib_for(*text, "RssAnon") + kib_for(*text, "RssShmem");
    sum.swapped += kib_for(*text, "VmSwap");
  }
  return sum;
}

// Whatever can be written: anonymous memory, shared memory, and what of a file was copied.
std::vector<iovec> anonymous_ranges(pid_t pid) {
  std::vector<iovec> ranges;
  const auto text = read_file(proc(pid, "maps"));
  if (!text) return ranges;
  each_line(*text, [&](std::string_view line) {
    // "from-to rwxp offset device inode   name"
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    const char* const last = line.data() + line.size();
    const auto first = std::from_chars(line.data(), last, from, 16);
    if (first.ec != std::errc{} || first.ptr == last || *first.ptr != '-') return;
    const auto second = std::from_chars(first.ptr + 1, last, to, 16);
    if (second.ec != std::errc{} || last - second.ptr < 6 || to <= from) return;
    const bool is_writable = second.ptr[2] == 'w';
    const bool is_of_kernel = line.ends_with("[vdso]") || line.ends_with("[vvar]") ||
                              line.ends_with("[vsyscall]") || line.ends_with("[vvar_vclock]");
    if (!is_writable || is_of_kernel) return;
    ranges.push_back({reinterpret_cast<void*>(from), to - from});  // NOLINT: an address there
  });
  return ranges;
}

// One range a call, so that one that is refused (locked, of a device) does not end the others.
// Returns the last errno, 0 when one was taken.
int advise(pid_t pid, int advice, const std::stop_token& stop = {}) {
  const Descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (!process.is_open()) return errno;
  int error = ESRCH;
  bool is_any = false;
  for (const iovec& range : anonymous_ranges(pid)) {
    iovec next{range.iov_base, std::min<std::size_t>(range.iov_len, step.count)};
    for (std::size_t left = range.iov_len; left > 0 && !stop.stop_requested();) {
      const auto done = ::syscall(SYS_process_madvise, process.get(), &next, 1UL, advice, 0U);
      if (done <= 0) {
        error = errno;
        break;
      }
      is_any = true;
      left -= static_cast<std::size_t>(done);
      next = {static_cast<char*>(next.iov_base) + done, std::min<std::size_t>(left, step.count)};
    }
    if (error == EPERM || error == ENOSYS) return error;
  }
  return is_any ? 0 : error;
}

// What has a limit may not be swapped out while it runs (component_group.h): meanwhile it may.
class SwapAllowed {
 public:
  explicit SwapAllowed(const std::string& group) : file_(group + "/memory.swap.max") {
    const auto limit = read_file(file_);
    if (limit && *limit != "max\n" && put_into(file_, "max")) before_ = *limit;
  }
  ~SwapAllowed() {
    if (before_) (void)put_into(file_, *before_);  // what is there stays there
  }
  SwapAllowed(const SwapAllowed&) = delete;
  SwapAllowed& operator=(const SwapAllowed&) = delete;

 private:
  std::string file_;
  std::optional<std::string> before_;
};

// Newer kernels can be told to leave the files; to others that line is no line at all.
bool reclaim_some(const std::string& file, Bytes size) {
  const std::string text = std::to_string(size.count);
  errno = 0;
  if (put_into(file, text + " swappiness=200")) return true;
  return errno == EINVAL && put_into(file, text);
}

// By the group, until it gives no more.
bool reclaim(const std::string& group, const std::stop_token& stop) {
  const std::string file = group + "/memory.reclaim";
  if (::access(file.c_str(), W_OK) != 0) return false;
  constexpr std::uint64_t little = 1024 * 1024;
  std::uint64_t last = ~std::uint64_t{0};
  for (int failures = 0; failures < 3 && !stop.stop_requested();) {
    const auto text = read_file(group + "/memory.stat");
    const std::uint64_t left = text ? number_for(*text, "anon").value_or(0) : 0;
    if (left < little) break;
    const bool has_moved = left + little <= last;
    last = std::min(last, left);
    const bool is_done = reclaim_some(file, std::min(step, Bytes{left}));
    failures = is_done && has_moved ? 0 : failures + 1;
  }
  return true;
}

// Returns the errno of the last that was refused when nothing was taken at all.
int advise_all(const std::vector<pid_t>& tree, const std::stop_token& stop) {
  int refused = 0;
  bool is_any = false;
  for (const pid_t pid : tree) {
    const int error = advise(pid, MADV_PAGEOUT, stop);
    if (error == EPERM || error == ENOSYS) return error;
    is_any = is_any || error == 0;
    if (error != ESRCH) refused = error;
  }
  return is_any ? 0 : refused;
}

bool may_advise_others() {
  const auto text = read_file("/proc/self/status");
  return text && has_capability(*text, cap_sys_nice);
}

Result<> has_swap() {
  const auto text = read_file("/proc/meminfo");
  if (text && kib_for(*text, "SwapTotal") > Bytes{}) return {};
  return fail(Errc::unavailable,
              "the machine has no swap: make one of zram (`apt install zram-tools`) or of a file");
}

}  // namespace

Result<> can_page_out() {
  HEARTH_TRY(has_swap());
  if (may_advise_others()) return {};
  const auto own = own_group("");
  if (own && *own != "/") {
    for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      // Ours was made by us, as those of components are.
      if (::access((mount + *own + "/memory.reclaim").c_str(), W_OK) == 0) return {};
    }
  }
  return fail(Errc::unavailable,
              "only root, or a control group of version 2 with `memory` that was delegated to us, "
              "may page out the memory of components: see `hearth doctor`");
}

Result<> freeze(pid_t root) {
  if (const auto group = group_of(root)) {
    const bool is_told = put_into(*group + "/cgroup.freeze", "1");
    const bool is_frozen = is_told && await([&] {
                             const auto text = read_file(*group + "/cgroup.events");
                             return text && number_for(*text, "frozen") == 1U;
                           });
    if (is_frozen) return {};
    (void)put_into(*group + "/cgroup.freeze", "0");
  }
  // What forks meanwhile is found in the next round.
  std::size_t known = 0;
  for (int round = 0; round < 50; ++round) {
    const std::vector<pid_t> tree = descendants(root);
    for (const pid_t pid : tree) (void)::kill(pid, SIGSTOP);
    const bool is_all = await([&] { return std::ranges::all_of(tree, is_stopped); });
    if (is_all && tree.size() == known) return {};
    if (!is_all) break;
    known = tree.size();
  }
  thaw(root);
  return fail(Errc::unavailable, "its processes cannot be stopped");
}

void thaw(pid_t root) {
  if (const auto group = group_of(root)) {
    // A daemon that was killed while it paged this out has left the way to the swap open.
    const auto limit = read_file(*group + "/memory.max");
    const auto swap = read_file(*group + "/memory.swap.max");
    const bool is_left_open = limit && *limit != "max\n" && swap && *swap == "max\n";
    if (is_left_open) (void)put_into(*group + "/memory.swap.max", "0");
    (void)put_into(*group + "/cgroup.freeze", "0");
  }
  for (const pid_t pid : descendants(root)) (void)::kill(pid, SIGCONT);
}

Result<Bytes> page_out(pid_t root, const std::stop_token& stop) {
  HEARTH_TRY(has_swap());
  const std::vector<pid_t> tree = descendants(root);
  const TreeMemory before = status_of(tree);
  const Bytes taken_before = ram_of_swap();
  {
    const auto group = group_of(root);
    std::optional<SwapAllowed> allowed;
    if (group) allowed.emplace(*group);
    const int error = group && reclaim(*group, stop) ? 0 : advise_all(tree, stop);
    if (error != 0) {
      const bool is_right = error == EPERM;
      return fail(Errc::unavailable,
                  "the kernel does not page out its memory: " + error_text(error) +
                      (is_right ? ": it takes root, or a control group of version 2: see `hearth "
                                  "doctor`"
                                : "; `hibernate: false` keeps it from being tried"));
    }
  }
  if (stop.stop_requested()) return fail(Errc::unavailable, "paging out was cancelled");
  const TreeMemory after = status_of(tree);
  const Bytes moved = less(after.swapped, before.swapped);
  const Bytes taken = std::min(less(ram_of_swap(), taken_before), moved);
  // What was in the swap before is counted as if it were there at no less a price.
  const double price =
      moved > Bytes{} ? static_cast<double>(taken.count) / static_cast<double>(moved.count) : 1.0;
  const auto swapped = static_cast<double>(after.swapped.count);
  return after.resident + Bytes{static_cast<std::uint64_t>(swapped * price)};
}

void page_in(pid_t root) {
  for (const pid_t pid : descendants(root)) (void)advise(pid, MADV_WILLNEED);
}

}  // namespace hearth

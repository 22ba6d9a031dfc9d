#include "runtime/memory_watch.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "runtime/clock.h"
#include "runtime/processes.h"

namespace hearth {
namespace {

constexpr std::size_t kept_open_max = 16;
constexpr std::uint64_t slack_pages_min = 64;  // 256 KiB of small pages
constexpr std::uint64_t slack_share = 32;

Instant processor_time() {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Instant{time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

bool is_near(std::uint64_t a, std::uint64_t b, std::uint64_t slack) {
  return std::max(a, b) - std::min(a, b) <= slack;
}

}  // namespace

std::optional<Statm> parse_statm(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t fields[3] = {};
  for (std::uint64_t& field : fields) {
    while (at != end && *at == ' ') ++at;
    const auto [next, error] = std::from_chars(at, end, field);
    if (error != std::errc{}) return std::nullopt;
    at = next;
  }
  return Statm{.resident = fields[1], .shared = fields[2]};
}

MemoryWatch::MemoryWatch(pid_t root, const std::string& group) : root_(root) {
  if (group.empty()) return;
  members_.path = group + "/cgroup.procs";
  members_.file.reset(::open(members_.path.c_str(), O_RDONLY | O_CLOEXEC));
}

MemoryFigures MemoryWatch::measure() {
  const MutexLock lock{mutex_};
  if (boot_now() >= full_due_ || has_moved()) look();
  return figures_;
}

void MemoryWatch::others_changed() {
  const MutexLock lock{mutex_};
  if (figures_.file_exclusive + figures_.file_shared < files_min) return;
  const Duration spread = files_patience * (root_ % 64) / 128;
  full_due_ = std::min(full_due_, boot_now() + files_patience / 2 + spread);
}

std::uint64_t MemoryWatch::full_looks() const {
  const MutexLock lock{mutex_};
  return full_looks_;
}

bool MemoryWatch::read(const Glance& from, std::string& text) {
  if (!from.file.is_open()) {
    auto whole = read_file(from.path);
    if (whole) text = *std::move(whole);
    return whole.has_value();
  }
  constexpr std::size_t most = 4096;  // of a list that is longer the beginning is compared
  text.resize(most);
  const ssize_t size = ::pread(from.file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return size >= 0;
}

bool MemoryWatch::is_as_before(const Glance& list) {
  return read(list, buffer_) && buffer_ == list.text;
}

bool MemoryWatch::has_moved() {
  if (members_.file.is_open() && !is_as_before(members_)) return true;
  Statm sum;
  for (const Process& process : processes_) {
    if (!read(process.statm, buffer_)) return true;
    const auto now = parse_statm(buffer_);
    if (!now || now->resident == 0) return true;  // it has ended
    sum.resident += now->resident;
    sum.shared += now->shared;
    if (!process.children.path.empty() && !is_as_before(process.children)) return true;
  }
  const std::uint64_t slack = std::max(slack_pages_min, seen_.resident / slack_share);
  return !is_near(sum.resident, seen_.resident, slack) || !is_near(sum.shared, seen_.shared, slack);
}

// The glances come first: what moves between them and the full look is found by the next one.
void MemoryWatch::look() {
  const Instant began = processor_time();
  std::vector<pid_t> tree = descendants(root_);
  tree.push_back(root_);
  watch(tree);
  figures_ = memory_of(tree);
  ++full_looks_;
  const Duration took = processor_time() - began;
  const Duration wait = std::clamp<Duration>(took * full_share, full_min, full_max);
  // By the process id, which differs: those that were looked at together part in time.
  full_due_ = boot_now() + wait + wait * (root_ % 64) / 128;
}

void MemoryWatch::watch(const std::vector<pid_t>& tree) {
  if (members_.file.is_open() && !read(members_, members_.text)) members_.text.clear();
  processes_.clear();
  seen_ = {};
  for (const pid_t pid : tree) {
    const std::string folder = "/proc/" + std::to_string(pid);
    Process process;
    process.statm.path = folder + "/statm";
    process.children.path = folder + "/task/" + std::to_string(pid) + "/children";
    if (processes_.size() < kept_open_max) {
      process.statm.file.reset(::open(process.statm.path.c_str(), O_RDONLY | O_CLOEXEC));
      process.children.file.reset(::open(process.children.path.c_str(), O_RDONLY | O_CLOEXEC));
    }
    const auto now = read(process.statm, buffer_) ? parse_statm(buffer_) : std::nullopt;
    if (!now || now->resident == 0) continue;  // gone meanwhile, or waiting to be reaped
    seen_.resident += now->resident;
    seen_.shared += now->shared;
    // Kernels without this file have none for any process.
    if (!read(process.children, process.children.text)) process.children = {};
    processes_.push_back(std::move(process));
  }
}

}  // namespace hearth

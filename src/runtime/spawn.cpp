#include "runtime/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#include <optional>

namespace hearth {
namespace {

// What the child needs, made before it is there: it may not take memory, because it shares ours.
struct Prepared {
  std::vector<char*> arguments;
  std::vector<int> groups;
  int birthplace = -1;
  std::string score;  // empty: none
  const char* directory = nullptr;
  int output = -1;
};

bool write_text(int fd, const char* text, std::size_t size) {
  return fd >= 0 && ::write(fd, text, size) == static_cast<ssize_t>(size);
}

bool put_score(const std::string& score) {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  const bool is_put = write_text(fd, score.data(), score.size());
  if (fd >= 0) (void)::close(fd);
  return is_put;
}

// In the child: system calls only. Returns when the program could not be started.
void become(const Prepared& wanted, bool is_born_there, Spawned& told) {
  for (const int group : wanted.groups) {
    if (!write_text(group, "0", 1)) told.is_in_groups = false;
  }
  if (wanted.birthplace >= 0 && !is_born_there) {
    const int door = ::openat(wanted.birthplace, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (!write_text(door, "0", 1)) told.is_in_groups = false;
    if (door >= 0) (void)::close(door);
  }
  if (!wanted.score.empty()) told.is_scored = put_score(wanted.score);
  (void)::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, 0) < 0 || ::dup2(wanted.output, 1) < 0 ||
      ::dup2(wanted.output, 2) < 0) {
    return;
  }
  if (wanted.directory != nullptr && ::chdir(wanted.directory) != 0) return;
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGXFSZ}) {
    (void)::sigaction(number, &plain, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::execvp(wanted.arguments[0], wanted.arguments.data());
}

// A page that a child has in common with us.
class Shared {
 public:
  Shared()
      : page_(::mmap(nullptr, sizeof(Spawned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0)) {
    if (page_ != MAP_FAILED) told_ = new (page_) Spawned;
  }
  ~Shared() {
    if (page_ != MAP_FAILED) (void)::munmap(page_, sizeof(Spawned));
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  [[nodiscard]] Spawned* told() const { return told_; }

 private:
  void* page_;
  Spawned* told_ = nullptr;
};

// Born in its group. Our memory is copied and not shared, as vfork would, since the system's
// library has no call for this that may share it; who has groups for what he starts is a small
// process. None: it is refused here, by an old kernel or a filter.
std::optional<Spawned> start_in_birthplace(const Prepared& wanted) {
  const Shared shared;
  if (wanted.birthplace < 0 || shared.told() == nullptr) return std::nullopt;
  clone_args how{};
  how.flags = CLONE_VFORK | CLONE_INTO_CGROUP;
  how.exit_signal = SIGCHLD;
  how.cgroup = static_cast<decltype(how.cgroup)>(wanted.birthplace);
  const long child = ::syscall(SYS_clone3, &how, sizeof how);
  if (child == 0) {
    become(wanted, true, *shared.told());
    shared.told()->error = errno;
    ::_exit(127);
  }
  if (child < 0) return std::nullopt;
  Spawned told = *shared.told();
  told.process = static_cast<pid_t>(child);
  return told;
}

// With vfork, because posix_spawn knows nothing of control groups and fork copies the tables of a
// large process. A child that is killed on its way, by the limit that it has just come under, has
// started: its end tells the rest.
[[gnu::noinline]] Spawned start(const Prepared& wanted) {
  Spawned told;
  Spawned* const shared = &told;
  const pid_t child = ::vfork();
  if (child == 0) {
    become(wanted, false, *shared);
    shared->error = errno;
    ::_exit(127);
  }
  if (child < 0) {
    told.error = errno;
  } else {
    told.process = child;
  }
  return told;
}

}  // namespace

Spawned spawn_program(SpawnOrder order) {
  Prepared wanted;
  for (std::string& argument : order.arguments) wanted.arguments.push_back(argument.data());
  wanted.arguments.push_back(nullptr);
  for (const Descriptor& group : order.groups) wanted.groups.push_back(group.get());
  wanted.birthplace = order.birthplace.get();
  if (order.oom_score_adj) wanted.score = std::to_string(*order.oom_score_adj);
  if (!order.directory.empty()) wanted.directory = order.directory.c_str();
  wanted.output = order.output;
  // No handler of ours may run in the child, which has our memory.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto born = start_in_birthplace(wanted);
  Spawned told = born ? *born : start(wanted);
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (told.error != 0 && told.process > 0) {
    while (::waitpid(told.process, nullptr, 0) < 0 && errno == EINTR) {
    }
    told.process = 0;
  }
  return told;
}

}  // namespace hearth

#include "drivers/keeper.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "runtime/supervise.h"

namespace hearth {

Keeper::~Keeper() {
  const MutexLock lock{mutex_};
  end_locked();
}

Result<> Keeper::start() {
  const MutexLock lock{mutex_};
  return start_locked();
}

Result<pid_t> Keeper::spawn(const std::string& name, int socket) {
  const MutexLock lock{mutex_};
  HEARTH_TRY(start_locked());
  auto spawned = ask(name, socket);
  if (spawned || spawned.error().code != Errc::unavailable) return spawned;
  end_locked();
  HEARTH_TRY(start_locked());
  return ask(name, socket);
}

void Keeper::end_locked() {
  socket_.reset();
  if (process_ == 0) return;
  // It ends when its socket does; one that hangs is not waited for.
  for (int round = 0; round < 1000; ++round) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) break;
    if (round == 500) (void)::kill(process_, SIGKILL);
    (void)::usleep(1000);
  }
  process_ = 0;
}

Result<> Keeper::start_locked() {
  if (process_ != 0) return {};
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Errc::io, "socketpair: " + error_text(errno));
  }
  Descriptor ours{ends[0]};
  const Descriptor theirs{ends[1]};
  std::vector<std::string> arguments = command_;
  const std::string program = arguments.front();
  arguments.front() = "hearth";
  arguments.push_back(std::string{keeper_argument});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  (void)posix_spawn_file_actions_init(&actions);
  (void)posix_spawn_file_actions_adddup2(&actions, theirs.get(), supervise_socket);
  posix_spawnattr_t attributes;
  (void)posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  (void)posix_spawnattr_setsigmask(&attributes, &none);
  (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  const int error =
      posix_spawn(&process_, program.c_str(), &actions, &attributes, pointers.data(), environ);
  (void)posix_spawnattr_destroy(&attributes);
  (void)posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    process_ = 0;
    return fail(Errc::io,
                program + ": cannot start the keeper of supervisors: " + error_text(error));
  }
  socket_ = std::move(ours);
  // It forks nothing before it is asked to.
  rlimit limit{};
  if (open_files_ != 0 && ::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = std::min<rlim_t>(open_files_, limit.rlim_max);
    (void)::prlimit(process_, RLIMIT_NOFILE, &limit, nullptr);
  }
  return {};
}

Result<pid_t> Keeper::ask(const std::string& name, int socket) {
  if (!send_spawn(socket_.get(), name, socket)) {
    return fail(Errc::unavailable, "the keeper of supervisors is gone: " + error_text(errno));
  }
  std::int32_t answer = 0;
  ssize_t got = 0;
  do {
    got = ::recv(socket_.get(), &answer, sizeof answer, 0);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof answer) return fail(Errc::unavailable, "the keeper of supervisors is gone");
  if (answer <= 0) return fail(Errc::io, name + ": cannot fork: " + error_text(-answer));
  return answer;
}

}  // namespace hearth

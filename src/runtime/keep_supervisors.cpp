// The keeper: forks a supervisor for each request that comes over its socket.
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "runtime/files.h"
#include "runtime/supervise.h"

namespace hearth {

bool send_spawn(int keeper, const std::string& name, int socket) {
  iovec part{const_cast<char*>(name.data()), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &socket, sizeof socket);
  while (true) {
    if (::sendmsg(keeper, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

namespace {

struct SpawnOrder {
  std::string name;
  Descriptor socket;
};

std::optional<SpawnOrder> receive_spawn(int keeper) {
  std::array<char, 512> text{};
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(keeper, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (got <= 0 || header == nullptr || header->cmsg_type != SCM_RIGHTS) return std::nullopt;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return SpawnOrder{{text.data(), static_cast<std::size_t>(got)}, Descriptor{fd}};
}

// What ps shows, in the room of the arguments that this process was started with.
void set_title(char** argv, const std::string& name) {
  const std::string title = "supervise " + name;
  char* begin = argv[0];
  char* end = argv[0];
  for (int i = 0; argv[i] != nullptr; ++i) {
    if (argv[i] == end) end += std::strlen(argv[i]) + 1;
  }
  const auto room = static_cast<std::size_t>(end - begin);
  if (room < 2) return;
  std::memset(begin, 0, room);
  title.copy(begin, room - 1);
  (void)::prctl(PR_SET_NAME, ("hearth:" + name).substr(0, 15).c_str(), 0, 0, 0);
}

}  // namespace

int keep_supervisors(char** argv, int (*supervise)()) {
  (void)::signal(SIGPIPE, SIG_IGN);
  (void)::signal(SIGHUP, SIG_IGN);
  (void)::signal(SIGINT, SIG_IGN);
  (void)::signal(SIGCHLD, SIG_IGN);  // nobody asks how a supervisor ended
  while (auto order = receive_spawn(supervise_socket)) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::signal(SIGCHLD, SIG_DFL);
      (void)::setsid();
      (void)::dup2(order->socket.get(), supervise_socket);
      order->socket.reset();
      set_title(argv, order->name);
      ::_exit(supervise());
    }
    const std::int32_t answer = child > 0 ? child : -errno;
    order->socket.reset();
    (void)::send(supervise_socket, &answer, sizeof answer, MSG_NOSIGNAL);
  }
  return 0;
}

}  // namespace hearth

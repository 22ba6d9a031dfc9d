// The packets between the daemon and a supervisor.
#include <sys/socket.h>

#include <cerrno>
#include <span>

#include "base/archive.h"
#include "runtime/supervise.h"

namespace hearth {
namespace {

constexpr std::size_t packet_bytes_max = 1024 * 1024;

template <class T>
bool send_packet(int socket, const T& message) {
  Writer writer;
  writer(message);
  const auto bytes = writer.bytes();
  while (true) {
    if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

// A peer that ended with something unread leaves ECONNRESET, which is told once and before the
// packets that it had sent: they are still there.
ssize_t receive(int socket, void* bytes, std::size_t room, int flags) {
  for (bool is_reset = false;;) {
    const ssize_t size = ::recv(socket, bytes, room, flags);
    if (size >= 0 || (errno != EINTR && (errno != ECONNRESET || is_reset))) return size;
    is_reset = is_reset || errno == ECONNRESET;
  }
}

template <class T>
std::optional<T> receive_packet(int socket, bool* would_block) {
  const int extra = would_block != nullptr ? MSG_DONTWAIT : 0;
  const ssize_t size = receive(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC | extra);
  if (would_block != nullptr) *would_block = size < 0 && errno == EAGAIN;
  if (size <= 0 || static_cast<std::size_t>(size) > packet_bytes_max) return std::nullopt;
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  if (receive(socket, bytes.data(), bytes.size(), 0) != size) return std::nullopt;
  Reader reader{bytes};
  T message;
  reader(message);
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return message;
}

}  // namespace

bool send_order(int socket, const SuperviseOrder& order) { return send_packet(socket, order); }
bool send_report(int socket, const SuperviseReport& report) { return send_packet(socket, report); }

std::optional<SuperviseOrder> receive_order(int socket) {
  return receive_packet<SuperviseOrder>(socket, nullptr);
}

std::optional<SuperviseReport> receive_report(int socket, bool* would_block) {
  return receive_packet<SuperviseReport>(socket, would_block);
}

std::string short_socket_path(int directory_fd, const std::string& name) {
  return "/proc/self/fd/" + std::to_string(directory_fd) + "/" + name;
}

}  // namespace hearth

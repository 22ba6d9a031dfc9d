#include "api/gateway.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hearth {
namespace {

constexpr auto idle_time_max = std::chrono::seconds{15};
constexpr std::size_t idle_max = 32;  // of one address

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<SocketAddress> socket_address(const HttpAddress& address) {
  SocketAddress out;
  if (!address.socket_path.empty()) {
    auto& name = reinterpret_cast<sockaddr_un&>(out.storage);
    if (address.socket_path.size() >= sizeof name.sun_path) {
      return fail(Errc::invalid, to_text(address) + ": the path of the socket is too long");
    }
    name.sun_family = AF_UNIX;
    std::ranges::copy(address.socket_path, name.sun_path);
    out.size = sizeof name;
    return out;
  }
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    out.size = sizeof v4;
    return out;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    out.size = sizeof v6;
    return out;
  }
  return fail(Errc::invalid, to_text(address) + ": not a numeric address");
}

// Nothing was sent that nobody asked for, and it is not closed.
bool is_quiet(int fd) {
  char byte = 0;
  return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

Result<bool> Gateway::enter(ComponentId id, unsigned limit, std::uint64_t ticket, Go go) {
  Place& place = places_[id];
  place.limit = limit;
  if (limit == 0 || (place.inside < limit && place.waiting.empty())) {
    ++place.inside;
    return true;
  }
  if (place.waiting.size() >= waiting_max) {
    return fail(Errc::exhausted, "too many requests wait for it already");
  }
  place.waiting.push_back({ticket, std::move(go)});
  return false;
}

void Gateway::leave(ComponentId id) {
  const auto found = places_.find(id);
  HEARTH_ASSERT(found != places_.end() && found->second.inside > 0);
  Place& place = found->second;
  --place.inside;
  if (place.is_letting_in) return;
  // Whoever goes in may leave at once.
  place.is_letting_in = true;
  while (!place.waiting.empty() && (place.limit == 0 || place.inside < place.limit)) {
    Waiting next = std::move(place.waiting.front());
    place.waiting.pop_front();
    ++place.inside;
    next.go();
  }
  place.is_letting_in = false;
  if (place.waiting.empty() && place.inside == 0) places_.erase(id);
}

void Gateway::withdraw(ComponentId id, std::uint64_t ticket) {
  const auto found = places_.find(id);
  if (found == places_.end()) return;
  std::erase_if(found->second.waiting,
                [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
  const Place& place = found->second;
  if (place.waiting.empty() && place.inside == 0 && !place.is_letting_in) places_.erase(found);
}

std::unique_ptr<Upstream> Gateway::take_idle(ComponentId id, const std::string& address) {
  const auto found = pools_.find({id, address});
  if (found == pools_.end()) return nullptr;
  std::vector<Idle>& idle = found->second;
  std::unique_ptr<Upstream> taken;
  while (!taken && !idle.empty()) {
    std::unique_ptr<Upstream> last = std::move(idle.back().upstream);
    idle.pop_back();
    if (is_quiet(last->socket.native_handle())) taken = std::move(last);
  }
  if (idle.empty()) pools_.erase(found);
  return taken;
}

Result<std::unique_ptr<Upstream>> Gateway::connect(ComponentId id, const HttpAddress& address,
                                                   bool may_be_used) {
  if (may_be_used) {
    if (auto idle = take_idle(id, to_text(address))) return idle;
  }
  const SocketAddress to = HEARTH_TRY(socket_address(address));
  const int fd = ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(Errc::exhausted, "no more connections: " + std::string(strerror(errno)));
  auto upstream = std::make_unique<Upstream>(io_, fd);
  if (address.socket_path.empty()) {
    const int one = 1;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0) {
    // A Unix socket whose queue is full says EAGAIN: nothing will tell when there is room.
    if (errno != EINPROGRESS) {
      return fail(Errc::unavailable, to_text(address) + ": " + std::strerror(errno));
    }
    upstream->is_connecting = true;
  }
  return upstream;
}

void Gateway::give_back(ComponentId id, const HttpAddress& address,
                        std::unique_ptr<Upstream> upstream) {
  const auto [at, is_new] = pools_.try_emplace({id, to_text(address)});
  if (is_new) drop_closed(id);
  std::vector<Idle>& idle = at->second;
  if (idle.size() >= idle_max) return;
  upstream->was_used = true;
  idle.push_back({std::move(upstream), Clock::now()});
  arm_timer();
}

// Of a component that has come back at another address: what led to the old one.
void Gateway::drop_closed(ComponentId id) {
  for (auto at = pools_.lower_bound({id, ""}); at != pools_.end() && at->first.first == id; ++at) {
    std::erase_if(at->second, [](const Idle& idle) {
      return !is_quiet(idle.upstream->socket.native_handle());
    });
  }
}

void Gateway::arm_timer() {
  if (is_armed_ || pools_.empty()) return;
  is_armed_ = true;
  timer_.expires_after(idle_time_max);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    is_armed_ = false;
    drop_old();
    arm_timer();
  });
}

void Gateway::drop_old() {
  const auto oldest = Clock::now() - idle_time_max;
  for (auto at = pools_.begin(); at != pools_.end();) {
    std::erase_if(at->second, [&](const Idle& idle) { return idle.since <= oldest; });
    at = at->second.empty() ? pools_.erase(at) : std::next(at);
  }
}

void Gateway::close() {
  timer_.cancel();
  pools_.clear();
}

}  // namespace hearth

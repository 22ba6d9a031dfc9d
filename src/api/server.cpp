#include "api/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "api/listen.h"
#include "api/session.h"

namespace hearth {
namespace {

// Beyond the limit so many more are told why, the rest is closed without a word.
constexpr std::size_t excess_max = 64;

std::string peer_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* raw = nullptr;
  if (address.ss_family == AF_INET) {
    raw = &reinterpret_cast<const sockaddr_in*>(&address)->sin_addr;
  } else if (address.ss_family == AF_INET6) {
    raw = &reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr;
  }
  if (raw == nullptr) return "unix";
  return ::inet_ntop(address.ss_family, raw, text.data(), text.size()) != nullptr ? text.data()
                                                                                  : "";
}

}  // namespace

struct Server::Impl {
  Impl(Service& service, ServerOptions options)
      : state(std::make_shared<ServerState>(service, std::move(options))), sweep_timer(state->io) {}

  struct Listener {
    Listener(boost::asio::io_context& io, int fd, bool is_unix_in)
        : socket(io, fd), retry(io), is_unix(is_unix_in) {}
    boost::asio::posix::stream_descriptor socket;
    boost::asio::steady_timer retry;
    bool is_unix;
  };

  void await_connection(Listener& listener);
  void accept_some(Listener& listener);
  void begin(int fd, SessionOrigin origin);
  void arm_sweep();
  void remove_socket_file();

  std::shared_ptr<ServerState> state;
  boost::asio::steady_timer sweep_timer;
  bool is_sweep_armed = false;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work;
  std::thread thread;
  std::string url;
  std::uint16_t port = 0;
  bool is_loopback = true;  // of the address listened on; without one too
  std::string socket_path;
  ino_t socket_inode = 0;
};

Server::Server(Service& service, ServerOptions options)
    : impl_(std::make_unique<Impl>(service, std::move(options))) {}

Server::~Server() { stop(); }

std::string Server::address() const { return impl_->url; }
std::uint16_t Server::port() const { return impl_->port; }

Result<> Server::bind() {
  Impl& impl = *impl_;
  ServerState& state = *impl.state;
  const ServerOptions& options = state.options;
  HEARTH_ASSERT(!impl.thread.joinable() && impl.listeners.empty());
  if (!options.listen_http.empty()) {
    const Listening listening = HEARTH_TRY(listen_tcp(options.listen_http));
    impl.listeners.push_back(std::make_unique<Impl::Listener>(state.io, listening.fd, false));
    if (!listening.is_loopback && options.api_key.empty()) {
      impl.listeners.clear();
      return fail(Errc::invalid, "`listen.http`: " + options.listen_http +
                                     " can be reached from other machines; set `api_key` or "
                                     "listen on 127.0.0.1");
    }
    const bool is_v6 = listening.host.find(':') != std::string::npos;
    impl.port = listening.port;
    impl.is_loopback = listening.is_loopback;
    impl.url = "http://" + (is_v6 ? "[" + listening.host + "]" : listening.host) + ":" +
               std::to_string(listening.port);
    state.listen_host = listening.host;
  }
  if (!options.listen_socket.empty()) {
    auto listening = listen_unix(options.listen_socket);
    if (!listening) {
      impl.listeners.clear();
      return std::unexpected(std::move(listening).error());
    }
    impl.listeners.push_back(std::make_unique<Impl::Listener>(state.io, listening->fd, true));
    impl.socket_path = options.listen_socket;
    struct stat status{};
    if (::lstat(impl.socket_path.c_str(), &status) == 0) impl.socket_inode = status.st_ino;
  }
  return {};
}

Result<> Server::start() {
  Impl& impl = *impl_;
  ServerState& state = *impl.state;
  HEARTH_ASSERT(!impl.thread.joinable());
  if (impl.listeners.empty()) HEARTH_TRY(bind());
  for (const auto& listener : impl.listeners) impl.await_connection(*listener);
  impl.work.emplace(state.io.get_executor());
  impl.thread = std::thread([&state] {
    state.thread = std::this_thread::get_id();
    state.io.run();
  });
  return {};
}

bool Server::change_access(std::vector<std::string> hosts, std::string api_key) {
  const bool keeps_key = api_key.empty() && !impl_->is_loopback;
  impl_->state->post([state = impl_->state, keeps_key, hosts = std::move(hosts),
                      api_key = std::move(api_key)]() mutable {
    state->options.hosts = std::move(hosts);
    if (!keeps_key) state->options.api_key = std::move(api_key);
  });
  return !keeps_key;
}

void Server::change_gateway(GatewaySettings settings) {
  impl_->state->post([state = impl_->state, settings] { state->options.gateway = settings; });
}

void Server::stop() {
  Impl& impl = *impl_;
  if (!impl.thread.joinable()) {
    impl.listeners.clear();
    impl.remove_socket_file();
    return;
  }
  const std::shared_ptr<ServerState> state = impl.state;
  state->post([&impl] {
    impl.listeners.clear();
    impl.sweep_timer.cancel();
    const auto sessions = std::exchange(impl.state->sessions, {});
    for (const auto& session : sessions) session->close();
    impl.state->gateway.close();
    impl.state->looking.cancel();
    impl.work.reset();
  });
  // What is cancelled completes on that thread; then it has nothing more to do.
  state->close();
  impl.thread.join();
  impl.remove_socket_file();
}

void Server::Impl::remove_socket_file() {
  struct stat status{};
  if (socket_path.empty() || ::lstat(socket_path.c_str(), &status) != 0) return;
  if (status.st_ino == socket_inode) (void)::unlink(socket_path.c_str());
}

void Server::Impl::await_connection(Listener& listener) {
  listener.socket.async_wait(listener.socket.wait_read,
                             [this, &listener](boost::system::error_code error) {
                               if (!error) accept_some(listener);
                             });
}

void Server::Impl::accept_some(Listener& listener) {
  while (true) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = ::accept4(listener.socket.native_handle(), reinterpret_cast<sockaddr*>(&address),
                             &size, SOCK_CLOEXEC);
    if (fd >= 0) {
      SessionOrigin origin;
      origin.is_unix = listener.is_unix;
      origin.peer = listener.is_unix ? "unix" : peer_of(address);
      begin(fd, std::move(origin));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return await_connection(listener);
    const bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (!is_short) continue;  // that one connection is gone already
    listener.retry.expires_after(100ms);
    listener.retry.async_wait([this, &listener](boost::system::error_code error) {
      if (!error) await_connection(listener);
    });
    return;
  }
}

void Server::Impl::begin(int fd, SessionOrigin origin) {
  const std::size_t count = state->sessions.size();
  if (count >= state->options.connections_limit + excess_max) {
    ::close(fd);
    return;
  }
  origin.is_excess = count >= state->options.connections_limit;
  if (!origin.is_unix) {
    const int one = 1;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  auto session = std::make_shared<Session>(state, fd, std::move(origin));
  state->sessions.insert(session);
  session->start();
  arm_sweep();
}

// Runs only while somebody is connected: an idle daemon sleeps.
void Server::Impl::arm_sweep() {
  if (is_sweep_armed || state->sessions.empty()) return;
  is_sweep_armed = true;
  const ServerOptions& options = state->options;
  const Duration shortest =
      std::min({options.request_time_limit, options.idle_time_limit, options.keep_alive_interval});
  const Duration interval = std::clamp<Duration>(shortest / 4, 10ms, 5s);
  sweep_timer.expires_after(interval);
  sweep_timer.async_wait([this](boost::system::error_code error) {
    is_sweep_armed = false;
    if (error) return;
    const auto now = ServerState::Clock::now();
    const std::vector<std::shared_ptr<Session>> all(state->sessions.begin(), state->sessions.end());
    for (const auto& session : all) session->look_at_the_clock(now);
    arm_sweep();
  });
}

}  // namespace hearth

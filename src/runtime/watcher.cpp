#include "runtime/watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>

#include "base/assert.h"

namespace hearth {
namespace {

constexpr std::uint64_t timer_token = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t sampling_token = timer_token - 1;
constexpr std::uint64_t end_token = timer_token - 2;
constexpr std::uint64_t alarm_token = timer_token - 3;

timespec to_timespec(std::int64_t ns) {
  timespec result{};
  result.tv_sec = ns / 1'000'000'000;
  result.tv_nsec = ns % 1'000'000'000;
  return result;
}

void add(int epoll, int fd, std::uint64_t token, std::uint32_t flags) {
  epoll_event event{};
  event.events = flags;
  event.data.u64 = token;
  (void)::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void drain(int fd) {
  std::uint64_t count = 0;
  (void)::read(fd, &count, sizeof count);
}

}  // namespace

Watcher::Watcher(Calls calls) : calls_(std::move(calls)) {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  timer_.reset(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  sampling_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  end_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  HEARTH_ASSERT(epoll_.is_open() && timer_.is_open() && sampling_.is_open() && end_.is_open());
  add(epoll_.get(), timer_.get(), timer_token, EPOLLIN);
  add(epoll_.get(), sampling_.get(), sampling_token, EPOLLIN);
  add(epoll_.get(), end_.get(), end_token, EPOLLIN);
  thread_ = std::thread{[this] { run(); }};
}

Watcher::~Watcher() { stop(); }

void Watcher::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  (void)::write(end_.get(), &one, sizeof one);
  thread_.join();
}

void Watcher::watch(int fd, std::uint64_t token) {
  if (fd >= 0) add(epoll_.get(), fd, token, EPOLLIN | EPOLLONESHOT);
}

void Watcher::watch_alarm(int fd) { add(epoll_.get(), fd, alarm_token, EPOLLPRI | EPOLLET); }

void Watcher::unwatch(int fd) {
  if (fd >= 0) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Watcher::arm(Instant boot_time) {
  itimerspec when{};
  // A time that is over still has to be reported, and zero would mean "off".
  if (boot_time != Instant::never()) {
    when.it_value = to_timespec(std::max<std::int64_t>(boot_time.ns, 1));
  }
  (void)::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void Watcher::sample_every(Duration period) {
  itimerspec when{};
  when.it_value = to_timespec(period.count());
  when.it_interval = when.it_value;
  (void)::timerfd_settime(sampling_.get(), 0, &when, nullptr);
}

void Watcher::run() {
  std::array<epoll_event, 32> events{};
  while (true) {
    const int found =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    if (found < 0 && errno == EINTR) continue;
    HEARTH_ASSERT(found >= 0);
    for (int i = 0; i < found; ++i) {
      const std::uint64_t token = events[static_cast<std::size_t>(i)].data.u64;
      if (token == end_token) return;
      if (token == timer_token) {
        drain(timer_.get());
        calls_.on_timer();
      } else if (token == sampling_token) {
        drain(sampling_.get());
        calls_.on_sample();
      } else if (token == alarm_token) {
        calls_.on_alarm();
      } else {
        calls_.on_readable(token);
      }
    }
  }
}

}  // namespace hearth

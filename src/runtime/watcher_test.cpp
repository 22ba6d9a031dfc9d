#include "runtime/watcher.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

namespace hearth {
namespace {

// Two ends of a connection: a byte out of band makes the other end urgent.
struct Ends {
  Descriptor here;
  Descriptor there;
  Ends() {
    const Descriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    here.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const bool is_made =
        ::bind(listener.get(), any, size) == 0 && ::listen(listener.get(), 1) == 0 &&
        ::getsockname(listener.get(), any, &size) == 0 && ::connect(here.get(), any, size) == 0;
    EXPECT_TRUE(is_made);
    there.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
};

TEST(Watcher, AnAlarmIsHeardEachTimeThatItComes) {
  const Ends ends;
  std::atomic<int> alarms = 0;
  Watcher watcher{{.on_readable = [](std::uint64_t) {},
                   .on_timer = [] {},
                   .on_sample = [] {},
                   .on_alarm =
                       [&] {
                         ++alarms;
                         alarms.notify_all();
                       }}};
  watcher.watch_alarm(ends.there.get());
  for (int i = 0; i < 3; ++i) {
    // A byte may come as two.
    const int before = alarms.load();
    ASSERT_EQ(::send(ends.here.get(), "!", 1, MSG_OOB), 1);
    alarms.wait(before);
    EXPECT_GT(alarms.load(), before);
  }
}

}  // namespace
}  // namespace hearth

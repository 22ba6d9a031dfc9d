#include "runtime/memory_alarm.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/bloat_testing.h"
#include "runtime/component_group.h"
#include "runtime/own_group.h"

namespace hearth {
namespace {

TEST(LimitAlarm, ComesWhenSomebodyIsHeldBack) {
  const DaemonLeaf leaf = DaemonLeaf::enter();
  const ComponentGroup group = ComponentGroup::make("bloat", {.memory = 24_MiB});
  const auto limit = limit_alarm(group.memory_directory());
  if (!leaf.is_entered() || !limit) {
    group.remove();
    ASSERT_FALSE(leaf.is_entered());
    GTEST_SKIP() << "no limit of version 2 can be set here";
  }
  const Descriptor watch{::epoll_create1(EPOLL_CLOEXEC)};
  epoll_event event{};
  event.events = EPOLLPRI | EPOLLET;
  ASSERT_EQ(::epoll_ctl(watch.get(), EPOLL_CTL_ADD, limit->get(), &event), 0);
  // The first is of what was before anybody looked.
  (void)::epoll_wait(watch.get(), &event, 1, 0);
  ASSERT_EQ(::epoll_wait(watch.get(), &event, 1, 100), 0) << "nobody was held back";
  const Spawned child = testing::spawn_bloat(group);
  ASSERT_EQ(child.error, 0);
  EXPECT_EQ(::epoll_wait(watch.get(), &event, 1, 30'000), 1);
  EXPECT_NE(event.events & EPOLLPRI, 0U);
  int status = 0;
  ASSERT_EQ(::waitpid(child.process, &status, 0), child.process);
  group.remove();
}

TEST(LimitAlarm, OfStallsIsThereOrSaysWhyNot) {
  const auto alarm = stall_alarm("/proc/pressure/memory");
  if (alarm) {
    pollfd waited{alarm->get(), POLLPRI, 0};
    EXPECT_GE(::poll(&waited, 1, 0), 0);
    EXPECT_EQ(waited.revents & (POLLERR | POLLNVAL), 0) << "it is in force";
    return;
  }
  EXPECT_TRUE(alarm.error().detail.starts_with("/proc/pressure/memory: "));
  const bool is_root = ::geteuid() == 0;
  EXPECT_TRUE(!is_root || alarm.error().code == Errc::not_found) << alarm.error().detail;
  GTEST_SKIP() << alarm.error().detail;
}

TEST(LimitAlarm, OfNothingIsNotFound) {
  EXPECT_EQ(stall_alarm("/nonexistent/memory").error().code, Errc::not_found);
  EXPECT_EQ(limit_alarm("/nonexistent").error().code, Errc::not_found);
}

}  // namespace
}  // namespace hearth

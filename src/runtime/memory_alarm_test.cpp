#include "runtime/memory_alarm.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "runtime/component_group.h"
#include "runtime/own_group.h"
#include "runtime/spawn.h"

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
  std::array<pollfd, 1> waited{pollfd{limit->get(), POLLPRI, 0}};
  // The first look is at what was before anybody looked.
  (void)::poll(waited.data(), waited.size(), 0);
  const Descriptor nothing{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  const Spawned child =
      spawn_program({.arguments = {"/bin/sh", "-c", "x=x; while :; do x=$x$x; done"},
                     .output = nothing.get(),
                     .birthplace = group.birthplace(),
                     .groups = group.doors()});
  ASSERT_EQ(child.error, 0);
  EXPECT_EQ(::poll(waited.data(), waited.size(), 30'000), 1);
  EXPECT_NE(waited[0].revents & POLLPRI, 0);
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

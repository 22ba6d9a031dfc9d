#include "runtime/own_group.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/component_group.h"
#include "runtime/spawn.h"

namespace hearth {
namespace {

// Told by whoever runs the tests in a group of version 2 that is theirs alone.
bool is_delegated() { return std::getenv("HEARTH_DELEGATED") != nullptr; }

bool has_limits_in_force() {
  const ComponentGroup group =
      ComponentGroup::make("room", {.memory = 64_MiB, .pids = 9, .cpu_us = 50'000});
  const Spawned child = spawn_program({.arguments = {"true"},
                                       .output = STDERR_FILENO,
                                       .birthplace = group.birthplace(),
                                       .groups = group.doors()});
  ::waitpid(child.process, nullptr, 0);
  group.remove();
  return group.is_complete() && child.error == 0 && child.is_in_groups;
}

TEST(OwnGroup, ComponentsStandBesideTheLeafOfTheDaemon) {
  EXPECT_EQ(group_for_components("/user/hearth"), "/user/hearth");
  EXPECT_EQ(group_for_components("/user/hearth/hearth-daemon"), "/user/hearth");
  EXPECT_EQ(group_for_components("/hearth-daemon"), "");
  EXPECT_EQ(group_for_components("/not-hearth-daemon"), "/not-hearth-daemon");
}

TEST(OwnGroup, ADaemonLeafMakesRoomForLimitsOrChangesNothing) {
  const auto before = own_group("");
  {
    const DaemonLeaf leaf = DaemonLeaf::enter();
    EXPECT_TRUE(leaf.is_entered() || !is_delegated());
    EXPECT_EQ(own_group("") != before, leaf.is_entered());
    EXPECT_TRUE(!leaf.is_entered() || has_limits_in_force());
  }
  EXPECT_EQ(own_group(""), before);
}

TEST(OwnGroup, ALeafThatIsLeftCanBeEnteredAgain) {
  for (int round = 0; round < 2; ++round) {
    const DaemonLeaf leaf = DaemonLeaf::enter();
    EXPECT_TRUE(leaf.is_entered() || !is_delegated()) << round;
  }
}

TEST(OwnGroup, WhatWasStartedInALeafStaysThere) {
  const DaemonLeaf outer = DaemonLeaf::enter();
  const auto place = own_group("");
  {
    const DaemonLeaf inner = DaemonLeaf::enter();
    EXPECT_EQ(inner.is_entered(), outer.is_entered());
    EXPECT_EQ(own_group(""), place);
  }
  EXPECT_EQ(own_group(""), place);
}

}  // namespace
}  // namespace hearth

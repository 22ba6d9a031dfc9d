#include "drivers/command.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "runtime/clock.h"

namespace hearth {
namespace {

Result<std::string> shell(const std::string& line, Duration time = 20s,
                          const std::stop_token& stop = {}) {
  return run_command({"/bin/sh", "-c", line}, boot_now() + time, stop);
}

TEST(RunCommand, BothOutputsAreReturned) {
  EXPECT_EQ(shell("echo a; echo b >&2").value_or(""), "a\nb\n");
}

TEST(RunCommand, AFailureIsToldWithItsLastLine) {
  const auto done = shell("echo first; echo the disk is full; exit 3");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail, "`/bin/sh`: exit status 3: the disk is full");
}

TEST(RunCommand, AProgramThatIsNotThereIsNamed) {
  const auto done = run_command({"no-such-program-here"}, boot_now() + 5s);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::not_found);
}

TEST(RunCommand, OneThatClosedItsOutputIsEndedInTimeToo) {
  const Instant began = boot_now();
  const auto done = shell("exec >/dev/null 2>&1; exec sleep 60", 300ms);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::timed_out);
  EXPECT_LT(boot_now() - began, 20s);
}

TEST(RunCommand, WhatItLeavesRunningIsNotWaitedFor) {
  const Instant began = boot_now();
  const auto said = shell("sleep 60 & echo $!");
  EXPECT_LT(boot_now() - began, 20s);
  ASSERT_TRUE(said) << said.error().detail;
  EXPECT_EQ(::kill(std::stoi(*said), SIGKILL), 0) << "it runs on";
}

TEST(RunCommand, AStopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  const auto done = shell("sleep 60", 60s, stop.get_token());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace hearth

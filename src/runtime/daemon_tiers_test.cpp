// The daemon and its components between ready and unloaded.
#include <gtest/gtest.h>

#include "runtime/daemon_testing.h"

namespace hearth::testing {
namespace {

// ocr is slow to load, as it was learnt, and idles for a moment only.
class Tiers : public DaemonTest {
 protected:
  void SetUp() override {
    DaemonTest::SetUp();
    world_->set_size("ocr", 200_MiB);
    world_->let_hibernate(50_MiB);
    config_.core.settings.idle_from = Pressure::low;
    config_.core.settings.idle_limits = {10ms, 10ms, 10ms};
    const MutexLock lock{rows_->mutex};
    rows_->learnt = {{.name = "ocr", .lives = {200_MiB}, .load_time = 100s}};
  }
  // Asked for once, and let go.
  void use() {
    const Answer answer = command("ocr");
    ASSERT_TRUE(answer.reply.is_granted);
    (void)answer_to([&](AnswerCallback callback) {
      daemon_->release(answer.reply.lease, std::move(callback));
    });
  }
};

TEST_F(Tiers, AnIdleComponentHibernatesAndARequestResumesIt) {
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::hibernated); });
  EXPECT_TRUE(world_->is_asleep("ocr"));
  EXPECT_EQ(row("ocr").view.reserved, 50_MiB);
  const Answer again = command("ocr");
  ASSERT_TRUE(again.reply.is_granted);
  EXPECT_FALSE(world_->is_asleep("ocr"));
  EXPECT_EQ(world_->load_count("ocr"), 1);
  EXPECT_EQ(status().totals.resumes, 1U);
  EXPECT_NE(log().find("hibernated after"), std::string::npos) << log();
  EXPECT_NE(log().find("ready again after"), std::string::npos) << log();
}

TEST_F(Tiers, WhatIsToldNotToHibernateIsUnloaded) {
  config_.launches.front().hibernates = false;
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::unloaded); });
  EXPECT_EQ(status().totals.hibernations, 0U);
}

TEST_F(Tiers, WhatHoldsADeviceIsUnloaded) {
  config_.core.settings.resources = {{.name = "gpu", .bytes = 1_GiB}};
  spec("ocr").devices = {{.resource = "gpu", .bytes = 1_MiB}};
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::unloaded); });
  EXPECT_EQ(status().totals.hibernations, 0U);
}

TEST_F(Tiers, WhyItCannotBeDoneIsLoggedAndItIsUnloaded) {
  world_->let_hibernate(fail(Errc::unavailable, "ocr: the swap is full"));
  begin();
  use();
  until([](const DaemonStatus& s) {
    return is_in(s, "ocr", State::unloaded) && s.totals.unloads == 1;
  });
  EXPECT_NE(log().find("ocr: the swap is full"), std::string::npos) << log();
}

TEST_F(Tiers, WhatDoesNotComeBackIsLoadedAnew) {
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::hibernated); });
  world_->fail("ocr", "ocr: it does not answer");
  const Answer failed = command("ocr");
  EXPECT_FALSE(failed.reply.is_granted);
  EXPECT_EQ(status().totals.resume_failures, 1U);
  EXPECT_EQ(world_->load_count("ocr"), 3) << "the first, and two attempts after the resume";
}

TEST_F(Tiers, OneThatEndsWhileItHibernatesIsGone) {
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::hibernated); });
  world_->end("ocr");
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::failed); });
  EXPECT_EQ(status().totals.exits, 1U);
}

TEST_F(Tiers, ALowBatteryIsInTheStatusUntilADaemonStartsOnMains) {
  world_->set_power({.is_on_battery = true, .charge = 0.1});
  begin();
  until([](const DaemonStatus& s) { return s.saves_power; });
  EXPECT_NE(log().find("power is saved"), std::string::npos) << log();
  world_->set_power({.is_on_battery = false, .charge = 0.1});
  kill_now();
  begin();
  until([](const DaemonStatus& s) { return !s.saves_power; });
}

TEST_F(Tiers, AResumeThatHangsDoesNotKeepTheDaemonFromStopping) {
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::hibernated); });
  world_->hold("ocr");
  daemon_->command({.text = "ocr", .waits = false}, [](Answer) {});
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::resuming); });
  stop();
  EXPECT_FALSE(world_->is_running("ocr"));
}

// The driver lets it go on when it finds it.
TEST_F(Tiers, WhatHibernatesWhenTheDaemonIsKilledIsReadyForTheNextOne) {
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::hibernated); });
  kill_now();
  config_.core.settings.idle_limits = {1h, 1h, 1h};
  begin(true);
  EXPECT_TRUE(is_in(status(), "ocr", State::ready)) << row("ocr").view.reserved.count;
  EXPECT_EQ(row("ocr").view.reserved, 200_MiB);
  EXPECT_EQ(row("ocr").memory.held(), 200_MiB);
  EXPECT_EQ(world_->load_count("ocr"), 1);
  EXPECT_TRUE(command("ocr").reply.is_granted);
}

TEST_F(Tiers, WhatHibernatesIsToldToHoldWhatItTakes) {
  begin();
  use();
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::hibernated); });
  EXPECT_EQ(row("ocr").memory.held(), 50_MiB);
  EXPECT_EQ(row("ocr").memory.would_free(), 50_MiB);
  EXPECT_EQ(row("ocr").peaks.held, 200_MiB);
}

}  // namespace
}  // namespace hearth::testing

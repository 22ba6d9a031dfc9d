// Whom the daemon tells that nobody uses it.
#include <gtest/gtest.h>

#include "runtime/daemon_testing.h"

namespace hearth::testing {
namespace {

class Weights : public DaemonTest {
 protected:
  void until_told(const char* name, bool is_idle) {
    while (world_->is_told_idle(name) != is_idle) std::this_thread::yield();
  }
};

TEST_F(Weights, WhatNobodyUsesIsToldSoUntilItIsUsedAgain) {
  begin();
  Answer held = command("ocr");
  ASSERT_TRUE(held.reply.is_granted);
  for (int i = 0; i < 3; ++i) {  // by the core the first time, past it afterwards
    (void)release(held.reply.lease);
    until_told("ocr", true);
    held = command("ocr");
    ASSERT_TRUE(held.reply.is_granted);
    until_told("ocr", false);
  }
}

TEST_F(Weights, WhatIsPinnedOrCoreIsNeverTold) {
  spec("asr").priority = Priority::core;
  begin();
  (void)pin("tts");
  for (const char* name : {"asr", "tts", "ocr"}) (void)release(command(name).reply.lease);
  until_told("ocr", true);
  (void)command("ocr");
  until_told("ocr", false);  // by then the others would have been
  EXPECT_FALSE(world_->is_told_idle("asr"));
  EXPECT_FALSE(world_->is_told_idle("tts"));
}

TEST_F(Weights, AnotherDaemonTellsItAnew) {
  begin();
  (void)release(command("ocr").reply.lease);
  until_told("ocr", true);
  kill_now();
  begin(true);
  ASSERT_TRUE(command("ocr").reply.is_granted);
  until_told("ocr", false);
}

}  // namespace
}  // namespace hearth::testing

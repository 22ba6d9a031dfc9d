// What a load reserves, by what was learnt and what was declared.
#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::script;
using testing::Script;
using testing::spec;

// One life that holds so much when it is ready, and at its most so much.
void live(Script& s, Bytes ready, Bytes most) {
  s.measured = ready;
  const RequestId request = s.command({"a"});
  s.play();
  ASSERT_EQ(s.state("a"), State::ready);
  s.send(event::MemorySampled{.available = 64_GiB, .measured = {{s.id("a"), most}}});
  s.release(request);
  s.send(event::UnloadRequested{RequestId{s.next_request++}, {s.id("a")}});
  s.play();
  ASSERT_EQ(s.state("a"), State::unloaded);
}

std::vector<Decision> told_off(const Script& s) {
  std::vector<Decision> found;
  for (const auto& record : s.ever<action::Record>()) {
    if (record.decision.kind == DecisionKind::estimate_off) found.push_back(record.decision);
  }
  return found;
}

TEST(Bounds, WhatIsDeclaredCountsUntilThreeLivesAreKnown) {
  Script s = script({spec("a", 300_MiB)});
  live(s, 90_MiB, 100_MiB);
  live(s, 90_MiB, 100_MiB);
  EXPECT_EQ(s.engine.bound(s.id("a")), 300_MiB);
  live(s, 90_MiB, 95_MiB);
  EXPECT_EQ(s.engine.bound(s.id("a")), 110_MiB);
}

TEST(Bounds, ALifeAboveTheDeclarationRaisesTheBoundAtOnce) {
  Script s = script({spec("a", 100_MiB)});
  live(s, 90_MiB, 200_MiB);
  EXPECT_EQ(s.engine.bound(s.id("a")), 220_MiB);
}

TEST(Bounds, WithoutADeclarationTheFirstLifeCounts) {
  Spec undeclared = spec("a");
  undeclared.memory.reset();
  Script s = script({undeclared}, 4_GiB);
  EXPECT_EQ(s.engine.bound(s.id("a")), 1_GiB);
  live(s, 90_MiB, 100_MiB);
  EXPECT_EQ(s.engine.bound(s.id("a")), 110_MiB);
}

TEST(Bounds, ADeclarationThatIsTooLowIsToldAsSoonAsThatIsSeenAndOnce) {
  Script s = script({spec("a", 100_MiB)});
  live(s, 90_MiB, 124_MiB);
  EXPECT_TRUE(told_off(s).empty());
  live(s, 90_MiB, 130_MiB);
  live(s, 90_MiB, 140_MiB);
  ASSERT_EQ(told_off(s).size(), 1U);
  EXPECT_EQ(told_off(s)[0].bytes, 130_MiB);
  EXPECT_EQ(told_off(s)[0].other_bytes, 100_MiB);
  EXPECT_TRUE(s.engine.component(s.id("a")).is_estimate_off);
}

TEST(Bounds, ADeclarationThatIsTooHighIsToldOnceThreeLivesAreKnown) {
  Script s = script({spec("a", 300_MiB)});
  live(s, 90_MiB, 100_MiB);
  live(s, 90_MiB, 100_MiB);
  EXPECT_TRUE(told_off(s).empty());
  EXPECT_FALSE(s.engine.component(s.id("a")).is_estimate_off);
  live(s, 90_MiB, 100_MiB);
  ASSERT_EQ(told_off(s).size(), 1U);
  EXPECT_TRUE(s.engine.component(s.id("a")).is_estimate_off);
}

TEST(Bounds, ACorrectedDeclarationIsNotTold) {
  Script s = script({spec("a", 300_MiB)});
  for (int life = 0; life < 3; ++life) live(s, 90_MiB, 100_MiB);
  Configuration corrected;
  corrected.settings.policy = "lru";
  corrected.components = {spec("a", 110_MiB)};
  s.send(event::Configured{corrected});
  live(s, 90_MiB, 100_MiB);
  EXPECT_EQ(told_off(s).size(), 1U);
  EXPECT_FALSE(s.engine.component(s.id("a")).is_estimate_off);
}

TEST(Bounds, AnotherProgramOfTheNameIsLearntAnew) {
  Script s = script({spec("a", 300_MiB)});
  for (int life = 0; life < 3; ++life) live(s, 90_MiB, 100_MiB);
  Configuration other;
  other.settings.policy = "lru";
  other.components = {spec("a", 800_MiB)};
  other.components[0].revision = 2;
  s.send(event::Configured{other});
  EXPECT_EQ(s.engine.bound(s.id("a")), 800_MiB);
}

TEST(Bounds, WhatWasLearntGoesOnInAnotherEngine) {
  Script before = script({spec("a", 300_MiB)});
  for (int life = 0; life < 3; ++life) live(before, 90_MiB, 100_MiB);
  Script s = script({spec("a", 300_MiB)});
  s.send(event::LearntBefore{before.engine.learnt()});
  EXPECT_EQ(s.engine.bound(s.id("a")), 110_MiB);
}

TEST(Bounds, ALifeThatARestartFindsRunningIsTheSameLife) {
  Script s = script({spec("a", 300_MiB)});
  s.command({"a"});
  s.play();
  const WorkId load = s.engine.component(s.id("a")).load;
  for (int restart = 0; restart < 3; ++restart) {
    s.send(event::Restored{{{s.id("a"), load, 60_MiB}}});
  }
  ASSERT_EQ(s.engine.learnt().size(), 1U);
  EXPECT_EQ(s.engine.learnt()[0].lives, std::vector{60_MiB});
}

Script with_device(Bytes size, Bytes declared) {
  Configuration configuration;
  configuration.settings.policy = "lru";
  configuration.settings.resources = {{"gpu", size}};
  configuration.components = {spec("a"), spec("b")};
  for (Spec& one : configuration.components) one.devices = {{"gpu", declared}};
  Script s;
  s.send(event::Configured{configuration});
  return s;
}

TEST(Bounds, ADeviceIsHeldAsMeasured) {
  Script s = with_device(10_GiB, 6_GiB);
  s.command({"a"});
  s.play();
  EXPECT_EQ(s.engine.ledger().used(ResourceId{1}), 6_GiB);
  s.send(event::MemorySampled{.available = 64_GiB, .devices = {{s.id("a"), "gpu", 3_GiB}}});
  EXPECT_EQ(s.engine.ledger().used(ResourceId{1}), 3_GiB);
  s.command({"b"});
  EXPECT_EQ(s.state("b"), State::loading);
}

TEST(Bounds, WhatADeviceHoldsIsLearntLikeRam) {
  Script s = with_device(8_GiB, 6_GiB);
  for (int life = 0; life < 3; ++life) {
    const RequestId request = s.command({"a"});
    s.play();
    s.send(event::MemorySampled{.available = 64_GiB, .devices = {{s.id("a"), "gpu", 2000_MiB}}});
    s.release(request);
    s.send(event::UnloadRequested{RequestId{s.next_request++}, {s.id("a")}});
    s.play();
  }
  s.command({"a"});
  EXPECT_EQ(s.engine.ledger().used(ResourceId{1}), 2200_MiB);
}

TEST(Bounds, WhoTakesAllOfADeviceHasItAloneHoweverLittleItUses) {
  Script s = with_device(8_GiB, 8_GiB);
  s.command({"a"});
  s.play();
  s.send(event::MemorySampled{.available = 64_GiB, .devices = {{s.id("a"), "gpu", 1_GiB}}});
  EXPECT_EQ(s.engine.ledger().used(ResourceId{1}), 8_GiB);
}

TEST(Bounds, WhatIsMeasuredOnAnUnknownDeviceChangesNothing) {
  Script s = with_device(8_GiB, 6_GiB);
  s.command({"a"});
  s.play();
  s.send(event::MemorySampled{.available = 64_GiB, .devices = {{s.id("a"), "npu", 3_GiB}}});
  EXPECT_EQ(s.engine.ledger().used(ResourceId{1}), 6_GiB);
}

}  // namespace
}  // namespace hearth

// Commands that are answered through open gates, before the engine hears of them.
#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::Script;
using testing::script;
using testing::spec;

constexpr std::uint64_t fast_bit = 1ULL << 63;

Spec with_needs(std::string name, std::vector<std::string> needs) {
  Spec result = spec(std::move(name));
  result.needs = std::move(needs);
  return result;
}

// "ocr", which needs "screen", is there; nobody holds it.
Script warm() {
  Script s = script({spec("screen"), with_needs("ocr", {"screen"})});
  const RequestId request = s.command({"ocr"});
  s.play();
  s.release(request);
  return s;
}

event::LeaseTaken taken(const Script& s, std::uint64_t number, CommandId command = {}) {
  return {.lease = LeaseId{fast_bit | number},
          .components = {s.id("screen"), s.id("ocr")},
          .asked = {s.id("ocr")},
          .command = command,
          .intents = {{s.id("ocr"), 0.8}}};
}

TEST(WarmCommands, AreCountedAsCommandsOnce) {
  Script s = warm();
  ASSERT_EQ(s.engine.totals().commands, 1U);
  s.send(taken(s, 1, CommandId{50}));
  EXPECT_EQ(s.engine.totals().commands, 2U);
  s.send(taken(s, 2, CommandId{50}));  // a further lease by the same command
  EXPECT_EQ(s.engine.totals().commands, 2U);
  s.send(taken(s, 3));  // of no command
  EXPECT_EQ(s.engine.totals().commands, 2U);
}

TEST(WarmCommands, TellTheProbabilitiesOfTheirText) {
  Script s = warm();
  s.send(taken(s, 1, CommandId{50}));
  EXPECT_DOUBLE_EQ(s.engine.component(s.id("ocr")).probability, 0.8);
}

TEST(WarmCommands, MeetTheirWaitObjective) {
  Script s = warm();
  const auto before = s.engine.totals().objectives_met;
  s.send(taken(s, 1, CommandId{50}));
  EXPECT_EQ(s.engine.totals().objectives_met, before + 1);
}

TEST(WarmCommands, TheLeaseOfTheirOwnAnswerIsNoUse) {
  Script s = warm();
  s.send(taken(s, 1, CommandId{50}));
  EXPECT_EQ(s.engine.totals().uses, 0U);
}

TEST(Uses, ALeaseOfNoCommandAndNoSessionIsNoUse) {
  Script s = warm();
  s.send(taken(s, 1));
  s.lease({"ocr"});
  EXPECT_EQ(s.engine.totals().uses, 0U);
}

TEST(Uses, ALeaseForACommandIsOneUseOfWhatItNames) {
  Script s = warm();
  s.send(taken(s, 1, CommandId{50}));
  s.send(taken(s, 2, CommandId{50}));
  EXPECT_EQ(s.engine.component(s.id("ocr")).uses, 1U);
  EXPECT_EQ(s.engine.component(s.id("ocr")).warm_uses, 1U);
  EXPECT_EQ(s.engine.component(s.id("screen")).uses, 0U);
  s.send(event::UseReported{RequestId{90}, CommandId{50}, {s.id("ocr")}});
  EXPECT_EQ(s.engine.totals().uses, 1U) << "the same use is told twice";
}

TEST(Uses, ALeaseOfTheSessionIsAUseOnlyWithinTheWindow) {
  Script s = script({spec("ocr")});
  event::CommandReceived command{.request = RequestId{80}, .command = CommandId{80}};
  command.session = SessionId{7};
  s.send(command);
  s.wait(59s);
  const event::LeaseRequested lease{
      .request = RequestId{81}, .components = {s.id("ocr")}, .session = SessionId{7}};
  s.send(lease);
  EXPECT_EQ(s.engine.totals().uses, 1U);
  EXPECT_EQ(s.engine.totals().warm_uses, 0U);
  s.play();
  s.wait(2s);
  event::LeaseRequested late = lease;
  late.request = RequestId{82};
  s.send(late);
  EXPECT_EQ(s.engine.totals().uses, 1U);
}

Configuration changed(const Script& s, std::uint64_t revision) {
  Configuration configuration;
  configuration.settings = s.engine.settings();
  configuration.components = {spec("screen"), with_needs("ocr", {"screen"})};
  configuration.components[1].revision = revision;
  return configuration;
}

TEST(Gates, WhatHasToRestartIsBarredSoThatWarmClientsDoNotHoldItForEver) {
  Script s = warm();
  s.send(taken(s, 1));
  s.send(event::Configured{changed(s, 2)});
  ASSERT_EQ(s.state("ocr"), State::draining);
  ASSERT_EQ(s.sent<action::BarGate>().size(), 1U);
  EXPECT_EQ(s.sent<action::BarGate>()[0].component, s.id("ocr"));
  s.send(event::LeaseReleased{RequestId{90}, LeaseId{fast_bit | 1}});
  EXPECT_EQ(s.sent<action::CloseGate>().size(), 1U);
}

TEST(Gates, ARefusedGateOfWhatHasToRestartIsBarred) {
  Script s = warm();
  s.send(event::Configured{changed(s, 2)});
  ASSERT_EQ(s.sent<action::CloseGate>().size(), 1U);
  s.send(event::GateRefused{.component = s.id("ocr"), .leases = 1});
  EXPECT_EQ(s.state("ocr"), State::draining);
  EXPECT_EQ(s.sent<action::BarGate>().size(), 1U);
}

TEST(Gates, APinThatGivesAnUnloadUpOpensTheGateAgain) {
  Script s = warm();
  event::LeaseTaken held = taken(s, 1);
  held.components = {s.id("screen")};
  held.asked = held.components;
  s.send(event::UnloadRequested{RequestId{90}, {s.id("ocr")}});
  s.send(event::GateRefused{.component = s.id("ocr"), .leases = 1});
  ASSERT_EQ(s.state("ocr"), State::draining);
  s.send(event::PinRequested{.request = RequestId{91}, .component = s.id("ocr")});
  EXPECT_EQ(s.state("ocr"), State::ready);
  EXPECT_EQ(s.sent<action::OpenGate>().size(), 1U);
}

}  // namespace
}  // namespace hearth

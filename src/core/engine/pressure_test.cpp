#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::script;
using testing::Script;
using testing::spec;

constexpr Bytes per_second = 200_MiB;

// Loaded, measured as declared, and nobody's any more.
void warm(Script& s, const char* name, Bytes size) {
  s.measured = size;
  const RequestId request = s.command({name});
  s.play();
  s.release(request);
  s.play();
}

std::vector<std::string> closed(const Script& s) {
  std::vector<std::string> names;
  for (const auto& gate : s.sent<action::CloseGate>()) {
    names.emplace_back(s.engine.component(gate.component).name);
  }
  return names;
}

const Decision* last(const Script& s, DecisionKind kind) {
  const Decision* found = nullptr;
  for (const Action& action : s.all) {
    const auto* record = std::get_if<action::Record>(&action);
    if (record != nullptr && record->decision.kind == kind) found = &record->decision;
  }
  return found;
}

// From `from`, `per_second` less each second, for so many looks.
void fall(Script& s, Bytes from, int looks) {
  for (int i = 0; i < looks; ++i) {
    s.wait(1s);
    s.send(
        event::MemorySampled{from - Bytes{per_second.count * static_cast<std::uint64_t>(i)}, {}});
  }
}

TEST(Forecast, IsWhenTheTrendMeetsTheNextLevel) {
  Script s = script({spec("a")});
  EXPECT_FALSE(s.engine.forecast()) << "nothing was seen yet";
  fall(s, 8_GiB, 6);
  const auto forecast = s.engine.forecast();
  ASSERT_TRUE(forecast);
  EXPECT_EQ(forecast->level, Pressure::medium);
  EXPECT_NEAR(seconds(forecast->in), (8.0 - 4.0) * 1024 / 200 - 5, 0.1);
}

TEST(Forecast, ThereIsNoneWhereMemoryStays) {
  Script s = script({spec("a")});
  for (int i = 0; i < 8; ++i) {
    s.wait(1s);
    s.send(event::MemorySampled{8_GiB, {}});
  }
  EXPECT_FALSE(s.engine.forecast());
}

TEST(Forecast, CountsTheLoadsThatAreUnderWay) {
  Script s = script({spec("a", 5_GiB)}, 16_GiB);
  s.send(event::LearntBefore{{{.name = "a", .lives = {}, .load_time = 20s}}});
  s.send(event::MemorySampled{8_GiB, {}});
  s.command({"a"});
  ASSERT_EQ(s.state("a"), State::loading);
  const auto forecast = s.engine.forecast();
  ASSERT_TRUE(forecast);
  EXPECT_EQ(forecast->level, Pressure::medium);
  EXPECT_EQ(forecast->in, 20s) << "when it is loaded, 3 GiB are left";
}

TEST(Forecast, LoadsThatAreDoneAreNotTakenForATrend) {
  Script s = script({spec("a", 1_GiB), spec("b", 1_GiB), spec("c", 1_GiB)}, 16_GiB);
  Bytes left = 6_GiB;
  s.send(event::MemorySampled{left, {}});
  for (const char* name : {"a", "b", "c"}) {
    warm(s, name, 1_GiB);
    s.wait(500ms);
    left = less(left, 1_GiB);
    s.send(event::MemorySampled{left, {}});
    s.wait(500ms);
    s.send(event::MemorySampled{left, {}});
  }
  EXPECT_FALSE(s.engine.forecast());
  EXPECT_EQ(s.engine.totals().evictions, 0U) << "3 GiB are left, and nothing takes them";
}

TEST(Forecast, WhatTheLoadTakesIsNotTakenForATrend) {
  Script s = script({spec("a", 2_GiB)}, 16_GiB);
  s.send(event::LearntBefore{{{.name = "a", .lives = {}, .load_time = 10s}}});
  s.command({"a"});
  fall(s, 8_GiB, 5);  // as fast as the load takes
  EXPECT_FALSE(s.engine.forecast()) << "it ends at 6 GiB";
}

TEST(Relief, TheSetIsMinimal) {
  Script s = script({spec("a", 100_MiB), spec("b", 100_MiB), spec("c", 600_MiB)}, 2_GiB);
  warm(s, "a", 100_MiB);
  warm(s, "b", 100_MiB);
  warm(s, "c", 600_MiB);
  s.send(event::MemorySampled{600_MiB, {}});  // 476 MiB short of the end of critical
  EXPECT_EQ(closed(s), std::vector<std::string>{"c"})
      << "without it none would do; the others stay";
  EXPECT_EQ(last(s, DecisionKind::unload_started)->reason, Reason::pressure);
}

TEST(Relief, WhatWasLoadedInVainGoesFirstWhateverItsPriority) {
  Spec high = spec("ahead", 500_MiB);
  high.priority = Priority::high;
  Spec low = spec("used", 500_MiB);
  low.priority = Priority::low;
  Script s = script({high, low}, 2_GiB);
  warm(s, "used", 500_MiB);
  event::CommandReceived command{.request = RequestId{900}, .command = CommandId{900}};
  command.intents = {{s.id("ahead"), 0.3}};
  s.measured = 500_MiB;
  s.send(command);
  s.play();
  ASSERT_EQ(s.state("ahead"), State::ready);
  s.send(event::MemorySampled{600_MiB, {}});
  EXPECT_EQ(closed(s), std::vector<std::string>{"ahead"});
}

TEST(Relief, InAnEmergencyWhatIsPinnedGoesTooButNotWhatIsCoreOrLeased) {
  Spec core = spec("core", 100_MiB);
  core.priority = Priority::core;
  Script s = script({core, spec("pinned"), spec("leased"), spec("idle")}, 2_GiB);
  s.play();
  s.send(event::PinRequested{.request = RequestId{800}, .component = s.id("pinned")});
  s.play();
  const RequestId held = s.lease({"leased"});
  s.play();
  ASSERT_TRUE(s.reply(held)->is_granted);
  warm(s, "idle", 100_MiB);
  s.send(event::MemorySampled{600_MiB, {}});
  EXPECT_EQ(closed(s), std::vector<std::string>{"idle"}) << "critical takes what is idle";
  s.play();
  s.send(event::MemorySampled{100_MiB, {}});
  EXPECT_EQ(closed(s), std::vector<std::string>{"pinned"});
  s.play();
  EXPECT_EQ(s.state("core"), State::ready);
  EXPECT_EQ(s.state("leased"), State::ready);
  s.wait(10s);
  s.send(event::MemorySampled{8_GiB, {}});
  s.play();
  EXPECT_EQ(s.state("pinned"), State::ready) << "it comes back";
}

TEST(Relief, WhatIsForetoldIsRelievedBefore) {
  Script s = script({spec("a", 900_MiB)}, 2_GiB);
  warm(s, "a", 900_MiB);
  fall(s, 2100_MiB, 3);
  EXPECT_TRUE(closed(s).empty()) << "no trend yet";
  for (int i = 3; closed(s).empty() && i < 8; ++i) {
    s.wait(1s);
    s.send(event::MemorySampled{2100_MiB - Bytes{per_second.count * static_cast<std::uint64_t>(i)},
                                {}});
  }
  EXPECT_EQ(closed(s), std::vector<std::string>{"a"});
  EXPECT_EQ(last(s, DecisionKind::unload_started)->reason, Reason::foretold);
  EXPECT_LT(s.engine.pressure(), Pressure::critical);
}

TEST(Relief, AStallIsRelievedByOneAfterTheOther) {
  Script s = script({spec("a"), spec("b"), spec("c")}, 2_GiB);
  for (const char* name : {"a", "b", "c"}) warm(s, name, 100_MiB);
  Duration stalled{0};
  const auto look = [&](Duration stall, Duration after = 1s) {
    stalled += stall;
    s.wait(after);
    s.send(event::MemorySampled{.available = 3_GiB, .stalled = stalled});
  };
  look(0ms);
  look(400ms);
  EXPECT_EQ(s.engine.pressure(), Pressure::critical);
  EXPECT_EQ(last(s, DecisionKind::pressure_changed)->reason, Reason::stall);
  EXPECT_EQ(closed(s).size(), 1U);
  EXPECT_EQ(last(s, DecisionKind::unload_started)->reason, Reason::stall);
  s.play();
  look(60ms, 200ms);
  EXPECT_TRUE(closed(s).empty()) << "what that has done is waited for";
  look(400ms);
  EXPECT_EQ(closed(s).size(), 1U) << "it has not ended";
  s.play();
  look(0ms);
  EXPECT_EQ(s.engine.pressure(), Pressure::critical) << "the level is held";
  EXPECT_TRUE(closed(s).empty()) << "but nobody waits any more";
}

TEST(Relief, ThatCanDoNothingSaysSoOnce) {
  Script s = script({spec("a")}, 2_GiB);
  for (int i = 0; i < 5; ++i) {
    s.wait(50ms);
    s.send(event::MemorySampled{600_MiB, {}});
  }
  int told = 0;
  for (const auto& record : s.ever<action::Record>()) {
    told += record.decision.kind == DecisionKind::nothing_evictable ? 1 : 0;
  }
  EXPECT_EQ(told, 1);
}

TEST(Budget, AFirstLoadThatTakesLongIsCountedWhole) {
  Script s = script({spec("a", 4_GiB), spec("b", 4_GiB)}, 32_GiB);
  s.send(event::MemorySampled{8_GiB, {}});
  s.command({"a"});
  ASSERT_EQ(s.state("a"), State::loading);
  s.wait(5s);
  s.send(event::MemorySampled{7500_MiB, {}});
  s.command({"b"});
  EXPECT_EQ(s.state("b"), State::unloaded) << "what the first will still take is not there twice";
}

TEST(Budget, ALoadDoesNotBringTheMachineToCriticalThoughTheBudgetHasRoom) {
  Script s = script({spec("a", 3_GiB)}, 8_GiB);
  s.send(event::MemorySampled{3_GiB, {}});
  const RequestId request = s.command({"a"}, 5s);
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_EQ(last(s, DecisionKind::waiting)->reason, Reason::machine);
  s.wait(1s);
  s.send(event::MemorySampled{6_GiB, {}});
  EXPECT_EQ(s.state("a"), State::loading) << "others have freed it";
  s.measured = 3_GiB;
  s.play();
  EXPECT_TRUE(s.reply(request)->is_granted);
}

TEST(Budget, WhatIsIdleMakesRoomOnAFullMachine) {
  Script s = script({spec("a", 2_GiB), spec("b", 2_GiB)}, 8_GiB);
  warm(s, "a", 2_GiB);
  s.send(event::MemorySampled{2_GiB, {}});
  const RequestId request = s.command({"b"});
  EXPECT_EQ(closed(s), std::vector<std::string>{"a"});
  s.play();
  s.send(event::MemorySampled{4_GiB, {}});
  s.play();
  EXPECT_TRUE(s.reply(request)->is_granted);
}

TEST(Budget, ThatYieldsShrinksAsOthersGrowAndGrowsBack) {
  Script s = script({spec("a", 1_GiB), spec("b", 1_GiB)}, 8_GiB);
  Configuration configuration;
  configuration.settings = s.engine.settings();
  configuration.settings.yields = true;
  configuration.components = {spec("a", 1_GiB), spec("b", 1_GiB)};
  s.send(event::Configured{configuration});
  warm(s, "a", 1_GiB);
  warm(s, "b", 1_GiB);
  s.send(event::MemorySampled{6_GiB, {}});
  EXPECT_TRUE(closed(s).empty());
  s.wait(1s);
  s.send(event::MemorySampled{3500_MiB, {}});  // others took 2.5 GiB: low begins at 4.2
  EXPECT_EQ(closed(s), std::vector<std::string>{"a"});
  s.play();
  s.wait(1s);
  s.send(event::MemorySampled{10_GiB, {}});
  s.command({"a"});
  EXPECT_EQ(s.state("a"), State::loading);
}

}  // namespace
}  // namespace hearth

#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::Script;
using testing::script;
using testing::spec;

Spec with_needs(std::string name, std::vector<std::string> needs) {
  Spec result = spec(std::move(name));
  result.needs = std::move(needs);
  return result;
}

Spec with_conflicts(std::string name, std::vector<std::string> conflicts) {
  Spec result = spec(std::move(name));
  result.conflicts = std::move(conflicts);
  return result;
}

TEST(Engine, ACommandThatNeedsNothingIsAnsweredAtOnce) {
  Script s = script({spec("asr")});
  const auto request = s.command({});
  ASSERT_TRUE(s.reply(request));
  EXPECT_TRUE(s.reply(request)->is_granted);
  EXPECT_TRUE(s.reply(request)->components.empty());
  EXPECT_FALSE(s.reply(request)->lease);
}

TEST(Engine, AColdCommandLoadsAndIsAnsweredWhenReady) {
  Script s = script({spec("asr")});
  const auto request = s.command({"asr"});
  ASSERT_EQ(s.sent<action::StartLoad>().size(), 1U);
  EXPECT_FALSE(s.reply(request));
  s.wait(200ms);
  s.play();
  ASSERT_TRUE(s.reply(request));
  EXPECT_TRUE(s.reply(request)->components.at(0).is_cold);
  EXPECT_EQ(s.reply(request)->wait, Duration{200ms});
  EXPECT_TRUE(s.reply(request)->lease);
}

TEST(Engine, AWarmCommandIsAnsweredInTheSameStep) {
  Script s = script({spec("asr")});
  s.command({"asr"});
  s.play();
  const auto request = s.command({"asr"});
  ASSERT_TRUE(s.reply(request));
  EXPECT_FALSE(s.reply(request)->components.at(0).is_cold);
  EXPECT_TRUE(s.sent<action::StartLoad>().empty());
}

TEST(Engine, ASecondRequestJoinsALoadUnderWay) {
  Script s = script({spec("asr")});
  const auto first = s.command({"asr"});
  const Action load = s.sent<action::StartLoad>().at(0);
  const auto second = s.command({"asr"});
  EXPECT_TRUE(s.sent<action::StartLoad>().empty());
  s.actions = {load};
  s.play();
  EXPECT_TRUE(s.reply(first)->is_granted);
  EXPECT_TRUE(s.reply(second)->is_granted);
}

TEST(Engine, NeedsAreLoadedFirstAndComeWithTheAnswer) {
  Script s = script({spec("screen"), with_needs("ocr", {"screen"})});
  const auto request = s.command({"ocr"});
  ASSERT_EQ(s.sent<action::StartLoad>().size(), 1U);
  EXPECT_EQ(s.sent<action::StartLoad>().at(0).component, s.id("screen"));
  s.play();
  ASSERT_EQ(s.reply(request)->components.size(), 2U);
  EXPECT_FALSE(s.reply(request)->components.at(0).is_asked);
  EXPECT_TRUE(s.reply(request)->components.at(1).is_asked);
}

TEST(Engine, TheMemoryIsReservedBeforeTheLoadAndReplacedByWhatWasMeasured) {
  Script s = script({spec("asr", 300_MiB)});
  s.command({"asr"});
  EXPECT_EQ(s.engine.ledger().used(ResourceId{}), 300_MiB);
  s.play();
  EXPECT_EQ(s.engine.ledger().used(ResourceId{}), 50_MiB);
  EXPECT_EQ(s.engine.component(s.id("asr")).peak, 50_MiB);
}

TEST(Engine, TheLeastRecentlyUsedGoesWhenMemoryIsShort) {
  Script s = script({spec("a", 400_MiB), spec("b", 400_MiB), spec("c", 400_MiB)}, 1_GiB);
  s.measured = 400_MiB;
  for (const auto* name : {"a", "b"}) {
    const auto request = s.command({name});
    s.play();
    s.wait(1s);
    s.release(request);
  }
  const auto request = s.command({"c"});
  ASSERT_EQ(s.sent<action::CloseGate>().size(), 1U);
  EXPECT_EQ(s.sent<action::CloseGate>().at(0).component, s.id("a"));
  EXPECT_TRUE(s.sent<action::StartLoad>().empty()) << "not before the memory is free";
  s.play();
  EXPECT_TRUE(s.reply(request)->is_granted);
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_EQ(s.state("b"), State::ready);
}

TEST(Engine, ASmallVictimStaysWhenALargeOneMakesTheRoomByItself) {
  Script s = script({spec("small"), spec("large", 500_MiB), spec("third", 400_MiB)}, 700_MiB);
  const auto use = [&](const char* name, Bytes measured) {
    s.measured = measured;
    const RequestId request = s.lease({name});
    s.play();
    s.release(request);
    s.wait(1s);
  };
  use("small", 100_MiB);  // the least recently used: chosen first
  use("large", 500_MiB);
  use("third", 400_MiB);
  EXPECT_EQ(s.state("third"), State::ready);
  EXPECT_EQ(s.state("large"), State::unloaded);
  EXPECT_EQ(s.state("small"), State::ready);
}

TEST(Engine, WhatIsLeasedIsNotEvictedAndTheRequestIsRefusedWhenPatienceIsOver) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  s.measured = 600_MiB;
  s.command({"a"});
  s.play();
  const auto request = s.command({"b"}, 5s);
  EXPECT_TRUE(s.sent<action::CloseGate>().empty());
  s.wait(5s);
  s.send(event::TimerFired{});
  ASSERT_TRUE(s.reply(request));
  EXPECT_EQ(s.reply(request)->code, Errc::over_budget);
  EXPECT_EQ(s.reply(request)->reason, Reason::memory);
}

TEST(Engine, WhatCanNeverFitIsRefusedAtOnce) {
  Script s = script({spec("a", 2_GiB)}, 1_GiB);
  const auto request = s.command({"a"});
  ASSERT_TRUE(s.reply(request));
  EXPECT_EQ(s.reply(request)->reason, Reason::too_large);
}

TEST(Engine, AnIdleRivalIsUnloadedBeforeTheOtherLoads) {
  Script s = script({spec("a"), with_conflicts("b", {"a"})});
  s.release(([&] {
    const auto first = s.command({"a"});
    s.play();
    return first;
  })());
  const auto request = s.command({"b"});
  EXPECT_TRUE(s.sent<action::StartLoad>().empty());
  s.play();
  EXPECT_TRUE(s.reply(request)->is_granted);
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Engine, ALeasedRivalMakesTheRequestWaitAndThenConflict) {
  Script s = script({spec("a"), with_conflicts("b", {"a"})});
  s.command({"a"});
  s.play();
  const auto request = s.command({"b"}, 3s);
  s.wait(3s);
  s.send(event::TimerFired{});
  ASSERT_TRUE(s.reply(request));
  EXPECT_EQ(s.reply(request)->code, Errc::conflict);
  EXPECT_EQ(s.reply(request)->other, s.id("a"));
}

TEST(Engine, ARequestForTwoRivalsIsRefusedAtOnce) {
  Script s = script({spec("a"), with_conflicts("b", {"a"})});
  const auto request = s.command({"a", "b"});
  EXPECT_EQ(s.reply(request)->reason, Reason::conflicting_set);
}

TEST(Engine, AFailedLoadIsRetriedWithADelayAndThenToldToWhoeverWaits) {
  Script s = script({spec("a")});
  const auto request = s.command({"a"});
  for (int attempt = 1; attempt <= 4; ++attempt) {
    const auto loads = s.sent<action::StartLoad>();
    ASSERT_EQ(loads.size(), 1U) << attempt;
    EXPECT_EQ(loads.at(0).attempt, static_cast<unsigned>(attempt));
    s.send(event::LoadFinished{loads.at(0).work, WorkOutcome::failed, {}, "exit 1"});
    if (attempt == 4) break;
    EXPECT_TRUE(s.sent<action::StartLoad>().empty());
    s.wait(Duration{1s} * (1 << (attempt - 1)));
    s.send(event::TimerFired{});
  }
  ASSERT_TRUE(s.reply(request));
  EXPECT_EQ(s.reply(request)->code, Errc::failed);
  EXPECT_EQ(s.engine.ledger().used(ResourceId{}), Bytes{});
}

TEST(Engine, ALoadThatTakesTooLongIsCancelledAndCountsAsAFailure) {
  Script s = script({spec("a")});
  s.command({"a"}, 300s);
  const auto load = s.sent<action::StartLoad>().at(0);
  s.wait(30s);
  s.send(event::TimerFired{});
  ASSERT_EQ(s.sent<action::CancelLoad>().size(), 1U);
  s.send(event::LoadFinished{load.work, WorkOutcome::cancelled, {}, ""});
  EXPECT_EQ(s.state("a"), State::failed);
  s.wait(1s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.sent<action::StartLoad>().at(0).attempt, 2U);
}

TEST(Engine, ACancelledLoadThatFinishesAllTheSameIsUnloaded) {
  Script s = script({spec("a")});
  s.command({"a"}, 300s);
  const auto load = s.sent<action::StartLoad>().at(0);
  s.wait(30s);
  s.send(event::TimerFired{});
  s.send(event::LoadFinished{load.work, WorkOutcome::done, 90_MiB, ""});
  EXPECT_EQ(s.sent<action::StartUnload>().size(), 1U);
  EXPECT_EQ(s.state("a"), State::unloading);
}

TEST(Engine, ASecondCompletionOfOneWorkIsIgnored) {
  Script s = script({spec("a")});
  s.command({"a"});
  const auto load = s.sent<action::StartLoad>().at(0);
  s.send(event::LoadFinished{load.work, WorkOutcome::done, 90_MiB, ""});
  s.send(event::LoadFinished{load.work, WorkOutcome::failed, {}, ""});
  EXPECT_EQ(s.state("a"), State::ready);
}

TEST(Engine, CoreComponentsLoadAtStartAndEagerOnesAfterThem) {
  Spec core = spec("core");
  core.priority = Priority::core;
  Spec eager = spec("eager");
  eager.is_lazy = false;
  Script s = script({eager, core, spec("lazy")});
  const auto loads = s.sent<action::StartLoad>();
  ASSERT_EQ(loads.size(), 1U);
  EXPECT_EQ(loads.at(0).component, s.id("core"));
  s.play();
  EXPECT_EQ(s.state("eager"), State::ready);
  EXPECT_EQ(s.state("lazy"), State::unloaded);
}

TEST(Engine, AComponentThatExitsWhileLeasedLosesItsLeasesAndComesBack) {
  Script s = script({spec("a")});
  const auto request = s.command({"a"});
  s.play();
  s.send(event::ComponentExited{s.id("a"), s.engine.component(s.id("a")).load, "signal 9"});
  ASSERT_EQ(s.sent<action::LeaseEnded>().size(), 1U);
  EXPECT_EQ(s.sent<action::LeaseEnded>().at(0).lease, s.reply(request)->lease);
  EXPECT_EQ(s.state("a"), State::failed);
  s.wait(1s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("a"), State::ready);
}

TEST(Engine, WhatNeedsAnExitedComponentIsUnloaded) {
  Script s = script({spec("screen"), with_needs("ocr", {"screen"})});
  s.command({"ocr"});
  s.play();
  s.send(event::ComponentExited{s.id("screen"), s.engine.component(s.id("screen")).load, ""});
  EXPECT_NE(s.state("ocr"), State::ready);
  s.play();
  EXPECT_EQ(s.state("ocr"), State::unloaded);
}

TEST(Engine, AnUnloadTellsAllThatItUnloaded) {
  Script s = script({spec("screen"), with_needs("ocr", {"screen"}), spec("other")});
  const auto held = s.command({"ocr"});
  s.play();
  s.release(held);
  s.send(event::UnloadRequested{RequestId{99}, {s.id("screen")}});
  s.play();
  std::vector<std::pair<ComponentId, bool>> told;
  const auto reply = s.reply(RequestId{99});
  ASSERT_TRUE(reply);
  for (const auto& row : reply->components) {
    told.emplace_back(row.component, row.is_asked);
  }
  EXPECT_EQ(told, (std::vector<std::pair<ComponentId, bool>>{{s.id("screen"), true},
                                                             {s.id("ocr"), false}}));
  s.send(event::UnloadRequested{RequestId{100}, {s.id("other")}});
  const auto nothing = s.reply(RequestId{100});
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->components.empty());
}

TEST(Engine, UnloadingWhatIsLeasedIsRefused) {
  Script s = script({spec("a")});
  const auto held = s.command({"a"});
  s.play();
  s.send(event::UnloadRequested{RequestId{99}, {s.id("a")}});
  EXPECT_EQ(s.reply(RequestId{99})->reason, Reason::leased);
  s.release(held);
  s.send(event::UnloadRequested{RequestId{100}, {s.id("a")}});
  EXPECT_FALSE(s.reply(RequestId{100}));
  s.play();
  EXPECT_TRUE(s.reply(RequestId{100})->is_granted);
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Engine, ARefusedGateKeepsTheComponentUntilItsFastLeaseEnds) {
  Script s = script({spec("a")});
  s.release(([&] {
    const auto first = s.command({"a"});
    s.play();
    return first;
  })());
  s.send(event::UnloadRequested{RequestId{99}, {s.id("a")}});
  s.send(event::GateRefused{s.id("a"), 1});
  EXPECT_TRUE(s.sent<action::StartUnload>().empty());
  const LeaseId fast{1ULL << 63 | 1};
  s.send(event::LeaseTaken{.lease = fast, .components = {s.id("a")}});
  s.send(event::LeaseReleased{RequestId{98}, fast});
  EXPECT_EQ(s.sent<action::ReleaseGate>().size(), 1U);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Engine, APinnedComponentIsLoadedAndStays) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  s.measured = 600_MiB;
  s.send(event::PinRequested{RequestId{99}, s.id("a"), true});
  s.play();
  EXPECT_EQ(s.state("a"), State::ready);
  s.command({"b"}, 5s);
  EXPECT_TRUE(s.sent<action::CloseGate>().empty());
}

TEST(Engine, APreemptibleLeaseIsRevokedForADemandAfterItsGrace) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  s.measured = 600_MiB;
  s.lease({"a"}, true);
  s.play();
  const auto request = s.command({"b"});
  s.wait(2s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.sent<action::LeaseEnded>().at(0).reason, Reason::revoked);
  s.play();
  EXPECT_TRUE(s.reply(request)->is_granted);
}

TEST(Engine, ADefaultComponentComesBackWhenWhatDisplacedItGoesIdle) {
  Spec small = spec("small");
  small.is_default = true;
  Script s = script({small, with_conflicts("large", {"small"})});
  s.release(([&] {
    const auto first = s.command({"small"});
    s.play();
    return first;
  })());
  const auto large = s.command({"large"});
  s.play();
  ASSERT_EQ(s.state("large"), State::ready);
  s.release(large);
  s.play();
  EXPECT_EQ(s.state("large"), State::unloaded);
  EXPECT_EQ(s.state("small"), State::ready);
}

TEST(Engine, AProbabilityBetweenTheThresholdsPreloadsIntoFreeMemoryOnly) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  s.measured = 600_MiB;
  const auto maybe = [&](const char* name) {
    event::CommandReceived event{.request = RequestId{s.next_request++}, .command = CommandId{7}};
    event.intents = {{s.id(name), 0.3}};
    s.send(event);
    s.play();
  };
  maybe("a");
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_TRUE(s.engine.component(s.id("a")).is_preload);
  maybe("b");
  EXPECT_EQ(s.state("b"), State::unloaded) << "a preload evicts nothing";
  s.wait(60s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded) << "it expired unused";
}

TEST(Engine, APreloadThatIsAskedForBeforeItBeginsIsNoGuessAnyMore) {
  Script s = script({spec("a"), spec("b"), spec("c")});
  Configuration one_by_one;
  one_by_one.settings = s.engine.settings();
  one_by_one.settings.loads_parallel_max = 1;
  one_by_one.components = {spec("a"), spec("b"), spec("c")};
  s.send(event::Configured{one_by_one});
  (void)s.command({"a"});
  event::CommandReceived likely{.request = RequestId{s.next_request++}, .command = CommandId{7}};
  likely.intents = {{s.id("b"), 0.3}};
  s.send(likely);
  ASSERT_TRUE(s.engine.component(s.id("b")).is_preload);
  (void)s.command({"b"});
  (void)s.command({"c"});
  const WorkId first = s.ever<action::StartLoad>().at(0).work;
  s.send(event::LoadFinished{first, WorkOutcome::done, s.measured, ""});
  s.play();
  const auto loads = s.ever<action::StartLoad>();
  ASSERT_EQ(loads.size(), 3U);
  EXPECT_EQ(loads[1].component, s.id("b")) << "as it came, not behind what was asked for";
  EXPECT_FALSE(loads[1].is_preload);
}

TEST(Engine, CriticalPressureUnloadsWhatIsIdleAndStopsAdmission) {
  Script s = script({spec("a"), spec("b")});
  s.release(([&] {
    const auto first = s.command({"a"});
    s.play();
    return first;
  })());
  s.send(event::MemorySampled{600_MiB, {}});
  EXPECT_EQ(s.engine.pressure(), Pressure::critical);
  EXPECT_EQ(s.sent<action::CloseGate>().size(), 1U);
  s.play();
  const auto request = s.command({"b"}, 2s);
  EXPECT_TRUE(s.sent<action::StartLoad>().empty());
  s.wait(2s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.reply(request)->code, Errc::unavailable);
}

TEST(Engine, IdleLimitsActFromMediumPressureOnAndATtlAlways) {
  Spec brief = spec("brief");
  brief.ttl = 5s;
  Script s = script({brief, spec("long")});
  for (const auto* name : {"brief", "long"}) {
    const auto first = s.command({name});
    s.play();
    s.release(first);
  }
  s.wait(6s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("brief"), State::unloaded);
  s.wait(1000s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("long"), State::ready);
  s.send(event::MemorySampled{3_GiB, {}});
  s.play();
  EXPECT_EQ(s.state("long"), State::unloaded);
}

TEST(Engine, AMeasurementAboveTheBudgetIsRelievedInTheSameStep) {
  Script s = script({spec("a", 400_MiB), spec("b", 400_MiB)}, 1_GiB);
  s.measured = 400_MiB;
  s.release(([&] {
    const auto first = s.command({"a"});
    s.play();
    return first;
  })());
  s.command({"b"});
  s.play();
  s.send(event::MemorySampled{8_GiB, {{s.id("b"), 900_MiB}}});
  ASSERT_EQ(s.sent<action::CloseGate>().size(), 1U);
  EXPECT_EQ(s.sent<action::CloseGate>().at(0).component, s.id("a"));
}

TEST(Engine, AChangedIdleComponentRestartsAndARemovedOneIsUnloaded) {
  Script s = script({spec("a"), spec("b")});
  for (const auto* name : {"a", "b"}) {
    const auto first = s.command({name});
    s.play();
    s.release(first);
  }
  Configuration next;
  next.settings = s.engine.settings();
  Spec changed = spec("a");
  changed.revision = 2;
  next.components = {changed};
  const ComponentId removed = s.id("b");
  s.send(event::Configured{next});
  s.play();
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_EQ(s.engine.component(s.id("a")).loads, 2U);
  EXPECT_FALSE(s.engine.find("b"));
  EXPECT_EQ(s.engine.component(removed).state, State::unloaded);
}

TEST(Engine, AShutdownUnloadsInReverseOrderOfNeedsAndThenStops) {
  Script s = script({spec("screen"), with_needs("ocr", {"screen"})});
  const auto held = s.command({"ocr"});
  s.play();
  s.release(held);
  s.send(event::ShutdownRequested{});
  ASSERT_EQ(s.sent<action::CloseGate>().size(), 1U);
  EXPECT_EQ(s.sent<action::CloseGate>().at(0).component, s.id("ocr"));
  s.play();
  EXPECT_EQ(s.ever<action::Stopped>().size(), 1U);
  const auto late = s.command({"ocr"});
  EXPECT_EQ(s.reply(late)->reason, Reason::shutting_down);
}

TEST(Engine, ARestoredEngineGoesOnAsTheOneThatWasStored) {
  Script s = script({spec("a"), with_needs("b", {"a"})});
  s.command({"b"});
  s.play();
  Script copy;
  copy.at = s.at;
  copy.engine = Engine::restore(s.engine.snapshot()).value();
  EXPECT_EQ(copy.engine.snapshot(), s.engine.snapshot());
  s.command({"a"});
  copy.next_request = s.next_request - 1;
  copy.command({"a"});
  EXPECT_EQ(copy.engine.snapshot(), s.engine.snapshot());
}

TEST(Engine, WhatIsNotRunningAfterARestartIsUnloadedAndItsLeasesAreLost) {
  Script s = script({spec("a"), spec("b")});
  s.command({"a"});
  s.play();
  s.command({"b"});
  s.play();
  const auto running = s.engine.component(s.id("b")).load;
  Script after;
  after.engine = Engine::restore(s.engine.snapshot()).value();
  after.send(event::Restored{{{s.id("b"), running, 60_MiB}}});
  EXPECT_EQ(after.state("a"), State::unloaded);
  EXPECT_EQ(after.state("b"), State::ready);
  EXPECT_EQ(after.sent<action::LeaseEnded>().size(), 1U);
  EXPECT_EQ(after.sent<action::OpenGate>().size(), 1U);
  EXPECT_EQ(after.engine.leases().size(), 1U);
}

TEST(Engine, DamagedSnapshotsAreRefused) {
  Script s = script({spec("a")});
  auto bytes = s.engine.snapshot();
  bytes.pop_back();
  EXPECT_FALSE(Engine::restore(bytes));
  EXPECT_FALSE(Engine::restore({}));
}

TEST(Engine, AnExplicitLeaseInTheWindowIsEvidenceForTheSessionsLastCommand) {
  Script s = script({spec("a")});
  event::CommandReceived command{.request = RequestId{50}, .command = CommandId{50}};
  command.session = SessionId{9};
  s.send(command);
  s.wait(10s);
  event::LeaseRequested lease{.request = RequestId{51}};
  lease.components = {s.id("a")};
  lease.session = SessionId{9};
  s.send(lease);
  ASSERT_EQ(s.sent<action::Learn>().size(), 1U);
  EXPECT_EQ(s.sent<action::Learn>().at(0).command, CommandId{50});
  s.wait(60s);
  lease.request = RequestId{52};
  s.send(lease);
  EXPECT_TRUE(s.sent<action::Learn>().empty());
}

TEST(Engine, AnAbandonedRequestGetsNoReply) {
  Script s = script({spec("a")});
  const auto request = s.command({"a"});
  const std::vector<Action> load = s.actions;
  s.send(event::RequestAbandoned{request});
  s.actions = load;
  s.play();
  EXPECT_FALSE(s.reply(request));
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Engine, EveryNameOfADecisionAReasonAndAnEventIsThere) {
  for (unsigned i = 0; i < limit_of(DecisionKind{}); ++i) {
    EXPECT_FALSE(name_of(static_cast<DecisionKind>(i)).empty()) << i;
  }
  for (unsigned i = 0; i < limit_of(Reason{}); ++i) {
    EXPECT_FALSE(name_of(static_cast<Reason>(i)).empty()) << i;
  }
  EXPECT_EQ(name_of(Event{{}, event::LearntBefore{}}), "learnt_before");
}

}  // namespace
}  // namespace hearth

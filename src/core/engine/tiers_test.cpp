#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::script;
using testing::Script;
using testing::spec;

Spec sleeper(std::string name, Bytes memory = 400_MiB) {
  Spec result = spec(std::move(name), memory);
  result.can_hibernate = true;
  return result;
}

// Loaded within `took`, and nobody's any more.
void warm(Script& s, const char* name, Bytes size, Duration took = 10s) {
  s.measured = size;
  const RequestId request = s.command({name});
  s.wait(took);
  s.play();
  s.release(request);
  s.play();
}

// Of 8 GiB, so much is left: critical below 1 GiB.
void left(Script& s, Bytes available) { s.send(event::MemorySampled{available, {}}); }

// `name` hibernates, because the machine is critical, and is no more.
void put_to_sleep(Script& s, const char* name) {
  left(s, 900_MiB);
  ASSERT_FALSE(s.sent<action::CloseGate>().empty());
  s.play();
  ASSERT_EQ(s.state(name), State::hibernated);
  left(s, 8_GiB);
}

// A second later so much has gone through the swap since the machine started.
void look_at_swap(Script& s, Bytes swapped) {
  s.wait(1s);
  s.send(event::MemorySampled{.available = 3_GiB, .swapped = swapped});
}

bool has_told(const Script& s, DecisionKind kind, Reason reason) {
  return std::ranges::any_of(s.ever<action::Record>(), [&](const action::Record& record) {
    return record.decision.kind == kind && record.decision.reason == reason;
  });
}

TEST(Tiers, WhatIsIdleHibernatesWhereThatFreesEnough) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);  // critical ends at 1024 MiB and a twentieth
  ASSERT_EQ(s.sent<action::CloseGate>().size(), 1U);
  s.asleep = 100_MiB;
  s.play();
  EXPECT_EQ(s.state("a"), State::hibernated);
  EXPECT_EQ(s.ever<action::StartUnload>().size(), 0U);
  const ComponentView view = s.engine.component(s.id("a"));
  EXPECT_EQ(view.reserved, 100_MiB) << "what the swap takes for it still counts";
  EXPECT_DOUBLE_EQ(view.freed_share, 0.75);
  EXPECT_EQ(s.engine.totals().hibernations, 1U);
}

TEST(Tiers, WhatCannotHibernateIsUnloaded) {
  Script s = script({spec("a", 400_MiB)}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_TRUE(s.ever<action::StartHibernate>().empty());
}

TEST(Tiers, WhatLoadsAsFastAsItWouldResumeIsUnloaded) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB, 100ms);
  left(s, 950_MiB);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, InAnEmergencyNothingHibernates) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 400_MiB);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, WhereHibernatingFreesTooLittleItIsUnloaded) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 600_MiB);  // half of it would not do
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, ARequestResumesIt) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  const RequestId request = s.command({"a"});
  ASSERT_EQ(s.sent<action::StartResume>().size(), 1U);
  EXPECT_TRUE(s.sent<action::StartLoad>().empty());
  EXPECT_EQ(s.state("a"), State::resuming);
  s.wait(300ms);
  s.play();
  EXPECT_EQ(s.state("a"), State::ready);
  ASSERT_TRUE(s.reply(request));
  EXPECT_TRUE(s.reply(request)->is_granted);
  EXPECT_TRUE(s.reply(request)->components.at(0).is_cold);
  const ComponentView view = s.engine.component(s.id("a"));
  EXPECT_EQ(view.reserved, 400_MiB);
  EXPECT_EQ(view.resume_time, 300ms);
  EXPECT_EQ(view.load_time, 10s) << "a resume is no load";
  EXPECT_EQ(view.loads, 1U);
}

TEST(Tiers, ARequestForItAsksForWhatIsMissing) {
  Script s = script({sleeper("a", 600_MiB), spec("b", 500_MiB)}, 1_GiB);
  warm(s, "a", 600_MiB);
  s.asleep = 100_MiB;
  put_to_sleep(s, "a");
  s.measured = 500_MiB;
  const RequestId b = s.command({"b"});
  s.play();
  const RequestId a = s.command({"a"});
  EXPECT_TRUE(s.ever<action::StartResume>().empty()) << "100 and 560 of its bound, 500 are taken";
  s.release(b);
  s.play();
  EXPECT_EQ(s.state("b"), State::unloaded);
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_TRUE(s.reply(a)->is_granted);
}

TEST(Tiers, ToMakeRoomItHibernatesWhenThatIsQuickEnough) {
  Script s = script({sleeper("a", 700_MiB), spec("b", 500_MiB)}, 1_GiB);
  warm(s, "a", 700_MiB, 20s);
  s.measured = 500_MiB;
  const RequestId b = s.command({"b"});
  ASSERT_EQ(s.sent<action::CloseGate>().size(), 1U);
  s.asleep = 200_MiB;
  s.play();
  EXPECT_EQ(s.state("a"), State::hibernated);
  EXPECT_EQ(s.state("b"), State::ready);
  EXPECT_TRUE(s.reply(b)->is_granted);
}

TEST(Tiers, ToMakeRoomInAHurryItIsUnloaded) {
  // 700 MiB take 1.5 s to be paged out, more than a load of 2 s is worth.
  Script s = script({sleeper("a", 700_MiB), spec("b", 500_MiB)}, 1_GiB);
  warm(s, "a", 700_MiB, 2s);
  s.command({"b"});
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, WhatFreesLessThanAQuarterGoesAndIsNotTriedAgainForAnHour) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);
  s.asleep = 350_MiB;
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_TRUE(has_told(s, DecisionKind::hibernate_refused, Reason::frees_little));
  left(s, 8_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_EQ(s.ever<action::StartHibernate>().size(), 1U);
  left(s, 8_GiB);
  warm(s, "a", 400_MiB);
  s.wait(1h);
  left(s, 950_MiB);
  s.play();
  EXPECT_EQ(s.ever<action::StartHibernate>().size(), 2U);
}

TEST(Tiers, WhatCouldNotBeDoneIsUnloadedAndNeverTriedAgain) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);
  s.send(event::GateClosed{s.id("a")});
  const auto started = s.sent<action::StartHibernate>();
  ASSERT_EQ(started.size(), 1U);
  s.send(event::HibernateFinished{started[0].work, HibernateOutcome::awake, {}, 0s, "no swap"});
  EXPECT_EQ(s.sent<action::StartUnload>().size(), 1U);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_TRUE(has_told(s, DecisionKind::hibernate_refused, Reason::unable));
}

TEST(Tiers, WhatDoesNotComeBackIsLoadedAnewAtOnce) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  const RequestId request = s.command({"a"});
  const auto started = s.sent<action::StartResume>();
  ASSERT_EQ(started.size(), 1U);
  s.send(event::LoadFinished{started[0].work, WorkOutcome::failed, {}, "no answer"});
  ASSERT_EQ(s.sent<action::StartLoad>().size(), 1U);
  s.play();
  EXPECT_TRUE(s.reply(request)->is_granted);
  EXPECT_EQ(s.engine.totals().resume_failures, 1U);
  EXPECT_EQ(s.engine.component(s.id("a")).loads, 2U);
  EXPECT_EQ(s.engine.component(s.id("a")).unloads, 1U);
}

TEST(Tiers, OneThatEndsWhileItHibernatesIsGone) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  const WorkId load = s.engine.component(s.id("a")).load;
  put_to_sleep(s, "a");
  s.send(event::ComponentExited{s.id("a"), load, "SIGKILL"});
  EXPECT_EQ(s.state("a"), State::failed);
  EXPECT_EQ(s.engine.component(s.id("a")).reserved, Bytes{});
}

TEST(Tiers, OneThatEndsWhileItFallsAsleepOrWakesIsNotTakenForReady) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  const WorkId load = s.engine.component(s.id("a")).load;
  left(s, 950_MiB);
  s.send(event::GateClosed{s.id("a")});
  s.send(event::ComponentExited{s.id("a"), load, "SIGKILL"});
  s.play();
  s.send(event::HibernateFinished{s.ever<action::StartHibernate>().at(0).work,
                                  HibernateOutcome::asleep, 10_MiB});
  EXPECT_EQ(s.state("a"), State::failed);
  left(s, 8_GiB);
  s.wait(10s);
  warm(s, "a", 400_MiB);
  const WorkId again = s.engine.component(s.id("a")).load;
  put_to_sleep(s, "a");
  s.command({"a"});
  const auto resume = s.sent<action::StartResume>();
  s.send(event::ComponentExited{s.id("a"), again, "SIGKILL"});
  s.send(event::LoadFinished{resume.at(0).work, WorkOutcome::done, 400_MiB, ""});
  EXPECT_EQ(s.state("a"), State::loading) << "it is loaded anew for who asked";
}

TEST(Tiers, WhatConflictsWithItUnloadsIt) {
  Spec rival = spec("b", 100_MiB);
  rival.conflicts = {"a"};
  Script s = script({sleeper("a"), rival}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  const RequestId b = s.command({"b"});
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_TRUE(s.reply(b)->is_granted);
}

TEST(Tiers, WhatItNeedsStaysBelowIt) {
  Spec top = sleeper("top");
  top.needs = {"base"};
  Script s = script({top, sleeper("base")}, 4_GiB);
  s.send(event::LearntBefore{{{.name = "top", .lives = {}, .load_time = 20s, .devices = {}}}});
  warm(s, "top", 400_MiB);
  left(s, 950_MiB);
  s.play();
  EXPECT_EQ(s.state("top"), State::hibernated);
  EXPECT_EQ(s.state("base"), State::ready);
}

TEST(Tiers, ItsMemoryIsTakenWhenMoreIsShort) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  left(s, 1020_MiB);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded) << "critical ends above 1024 MiB, by its last 10 too";
}

TEST(Tiers, AnOldOneIsUnloadedInTheEnd) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 3_GiB);  // medium: idle limits act, 120 s for priority medium
  s.wait(121s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("a"), State::hibernated);
  s.wait(1000s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::hibernated);
  s.wait(200s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, OnALowBatteryItStaysAsleepAndNothingIsLoadedAhead) {
  Script s = script({sleeper("a"), spec("b")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 3_GiB);
  s.wait(121s);
  s.send(event::TimerFired{});
  s.play();
  ASSERT_EQ(s.state("a"), State::hibernated);
  s.send(event::PowerSampled{.is_on_battery = true, .charge = 0.15});
  EXPECT_TRUE(s.engine.saves_power());
  EXPECT_TRUE(has_told(s, DecisionKind::power_changed, Reason::battery));
  s.wait(2000s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("a"), State::hibernated);
  left(s, 8_GiB);
  event::CommandReceived likely{.request = RequestId{800}, .command = CommandId{800}};
  likely.intents = {{s.id("b"), 0.4}};
  s.send(likely);
  EXPECT_EQ(s.state("b"), State::unloaded);
  s.send(event::PowerSampled{.is_on_battery = true, .charge = 0.21});
  EXPECT_TRUE(s.engine.saves_power()) << "it ends a little above";
  s.send(event::PowerSampled{.is_on_battery = false, .charge = 0.15});
  EXPECT_FALSE(s.engine.saves_power());
  likely.request = RequestId{801};
  likely.command = CommandId{801};
  s.send(likely);
  EXPECT_EQ(s.state("b"), State::loading);
}

TEST(Tiers, ATimeToLiveUnloads) {
  Spec a = sleeper("a");
  a.ttl = 30s;
  Script s = script({a}, 4_GiB);
  warm(s, "a", 400_MiB);
  s.wait(31s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_TRUE(s.ever<action::StartHibernate>().empty());
}

TEST(Tiers, UnloadingByHandUnloadsIt) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  s.send(event::UnloadRequested{RequestId{900}, {s.id("a")}});
  EXPECT_TRUE(s.sent<action::CloseGate>().empty()) << "its gate is closed already";
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, AnUnloadByHandMeanwhileUnloadsItWhenItIsAsleep) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);
  s.send(event::GateClosed{s.id("a")});
  const auto started = s.sent<action::StartHibernate>();
  s.send(event::UnloadRequested{RequestId{900}, {s.id("a")}});
  EXPECT_EQ(s.state("a"), State::hibernating);
  s.send(event::HibernateFinished{started.at(0).work, HibernateOutcome::asleep, 10_MiB});
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
  EXPECT_TRUE(s.reply(RequestId{900})->is_granted);
}

TEST(Tiers, AShutdownUnloadsIt) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  s.send(event::ShutdownRequested{});
  s.play();
  EXPECT_EQ(s.ever<action::Stopped>().size(), 1U);
}

TEST(Tiers, AClientThatHangsUpBeforeItIsResumedLeavesItAsleep) {
  Script s = script({sleeper("a", 600_MiB), spec("b", 100_MiB)}, 1_GiB);
  Configuration one_at_a_time;
  one_at_a_time.settings = s.engine.settings();
  one_at_a_time.settings.loads_parallel_max = 1;
  one_at_a_time.components = {sleeper("a", 600_MiB), spec("b", 100_MiB)};
  s.send(event::Configured{one_at_a_time});
  warm(s, "a", 600_MiB);
  s.asleep = 100_MiB;
  put_to_sleep(s, "a");
  s.command({"b"});
  ASSERT_EQ(s.state("b"), State::loading);
  const RequestId a = s.command({"a"});
  ASSERT_TRUE(s.engine.component(s.id("a")).is_admitted) << "it waits for its turn to resume";
  ASSERT_EQ(s.engine.component(s.id("a")).reserved, 600_MiB);
  s.send(event::RequestAbandoned{a});
  EXPECT_EQ(s.state("a"), State::hibernated);
  EXPECT_EQ(s.engine.component(s.id("a")).reserved, 100_MiB);
  EXPECT_TRUE(s.engine.ledger().recount());
}

TEST(Tiers, TwoThatWaitForTwoSleepersAreBothServed) {
  Script s = script({sleeper("a", 900_MiB), sleeper("b", 900_MiB), spec("c", 400_MiB)}, 4_GiB);
  for (const char* name : {"a", "b"}) {
    warm(s, name, 900_MiB, 30s);
    s.asleep = 300_MiB;
    put_to_sleep(s, name);
  }
  Configuration smaller;
  smaller.settings = s.engine.settings();
  smaller.settings.budget = 1000_MiB;
  smaller.components = {sleeper("a", 900_MiB), sleeper("b", 900_MiB), spec("c", 400_MiB)};
  s.send(event::Configured{smaller});
  s.measured = 400_MiB;
  const RequestId c = s.command({"c"});
  s.play();
  ASSERT_EQ(s.state("c"), State::ready);
  ASSERT_EQ(s.engine.ledger().used(ResourceId{}), 1000_MiB) << "all three";
  s.measured = 900_MiB;
  const RequestId a = s.command({"a"});
  s.play();
  const RequestId b = s.command({"b"});
  s.play();
  s.release(c);
  s.play();
  ASSERT_TRUE(s.reply(a)) << "what b's request waits for does not keep it out";
  s.release(a);
  s.play();
  EXPECT_TRUE(s.reply(b) && s.reply(b)->is_granted);
}

TEST(Tiers, ThePagingOfOursIsNoSignOfPressure) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  look_at_swap(s, {});
  s.wait(121s);
  s.send(event::TimerFired{});
  s.send(event::GateClosed{s.id("a")});
  ASSERT_EQ(s.state("a"), State::hibernating);
  look_at_swap(s, 200_MiB);
  s.send(event::HibernateFinished{s.ever<action::StartHibernate>().at(0).work,
                                  HibernateOutcome::asleep, 10_MiB});
  look_at_swap(s, 400_MiB);
  EXPECT_EQ(s.engine.pressure(), Pressure::medium);
  look_at_swap(s, 400_MiB);
  look_at_swap(s, 800_MiB);
  EXPECT_EQ(s.engine.pressure(), Pressure::emergency) << "this is of others";
}

TEST(Tiers, AHibernationUnderWayIsCancelledByAShutdownOrAnEmergency) {
  for (const bool is_shutdown : {true, false}) {
    Script s = script({sleeper("a")}, 4_GiB);
    warm(s, "a", 400_MiB);
    left(s, 950_MiB);
    s.send(event::GateClosed{s.id("a")});
    ASSERT_EQ(s.state("a"), State::hibernating);
    const WorkId work = s.ever<action::StartHibernate>().at(0).work;
    if (is_shutdown) {
      s.send(event::ShutdownRequested{});
    } else {
      left(s, 300_MiB);
    }
    ASSERT_EQ(s.sent<action::CancelLoad>().size(), 1U);
    EXPECT_EQ(s.sent<action::CancelLoad>()[0].work, work);
    s.send(event::HibernateFinished{work, HibernateOutcome::awake});
    EXPECT_EQ(s.state("a"), State::unloading);
    EXPECT_FALSE(has_told(s, DecisionKind::hibernate_refused, Reason::unable));
    if (is_shutdown) continue;
    s.play();
    left(s, 8_GiB);
    warm(s, "a", 400_MiB);
    left(s, 950_MiB);
    s.send(event::GateClosed{s.id("a")});
    EXPECT_EQ(s.state("a"), State::hibernating) << "it could have: it may again";
  }
}

TEST(Tiers, OwnPagingExcusesNoMoreThanItMayTake) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  left(s, 950_MiB);
  s.send(event::GateClosed{s.id("a")});
  ASSERT_EQ(s.state("a"), State::hibernating);
  Bytes swapped = 100_MiB;
  for (int i = 0; i < 30; ++i) {  // it hangs, and somebody else swaps
    swapped += 1_GiB;
    look_at_swap(s, swapped);
    if (i == 0) {
      EXPECT_LT(s.engine.pressure(), Pressure::critical);
    }
  }
  EXPECT_GE(s.engine.pressure(), Pressure::critical);
}

TEST(Tiers, CountsOfAMachineThatStartedAnewAreNoTraffic) {
  Script s = script({sleeper("a")}, 4_GiB);
  for (const Bytes swapped : {50_GiB, 50_GiB, 5_GiB, 5_GiB}) {
    look_at_swap(s, swapped);
    EXPECT_EQ(s.engine.pressure(), Pressure::medium) << "by what is available alone";
  }
}

TEST(Tiers, WhatIsBeingPutToSleepIsUnloadedInAShutdownOrAnEmergency) {
  for (const bool is_shutdown : {true, false}) {
    Script s = script({sleeper("a")}, 4_GiB);
    warm(s, "a", 400_MiB);
    left(s, 950_MiB);
    ASSERT_EQ(s.state("a"), State::closing);
    if (is_shutdown) {
      s.send(event::ShutdownRequested{});
    } else {
      left(s, 300_MiB);
    }
    s.send(event::GateClosed{s.id("a")});
    EXPECT_TRUE(s.ever<action::StartHibernate>().empty());
    EXPECT_EQ(s.state("a"), State::unloading);
  }
}

TEST(Tiers, OneThatTakesLongToBeOutOfTheWayIsUnloadedWhenMemoryIsShort) {
  Script s = script({sleeper("a", 3_GiB)}, 8_GiB);
  warm(s, "a", 3_GiB, 100s);  // 6 s to the swap, before it is known better
  left(s, 950_MiB);
  s.play();
  EXPECT_EQ(s.state("a"), State::unloaded);
}

TEST(Tiers, OneThatHibernatedWithADaemonThatIsGoneHoldsNothing) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  s.send(event::Restored{});
  s.send(event::MemorySampled{8_GiB, {}});
  s.command({"a"});
  ASSERT_EQ(s.state("a"), State::loading);
  EXPECT_EQ(s.engine.component(s.id("a")).reserved, 400_MiB);
}

TEST(Tiers, ADefaultComponentThatHibernatesComesBackThreeTimesInTenMinutesAtMost) {
  Spec a = sleeper("a");
  a.is_default = true;
  Script s = script({a}, 4_GiB);
  warm(s, "a", 400_MiB);
  for (int round = 0; round < 6; ++round) {
    left(s, 950_MiB);
    s.play();
    s.wait(5s);
    left(s, 8_GiB);
    s.play();
    s.wait(5s);
  }
  EXPECT_LE(s.ever<action::StartResume>().size(), 3U);
}

TEST(Tiers, WhatSleepsAboveItDoesNotKeepItsNeedFromBeingRevoked) {
  Spec top = sleeper("top");
  top.needs = {"base"};
  Script s = script({top, spec("base", 400_MiB), spec("other", 700_MiB)}, 1_GiB);
  s.send(event::LearntBefore{{{.name = "top", .lives = {}, .load_time = 20s}}});
  warm(s, "top", 400_MiB);
  s.asleep = 50_MiB;
  put_to_sleep(s, "top");
  const RequestId held = s.lease({"base"}, true);
  s.play();
  ASSERT_TRUE(s.reply(held) && s.reply(held)->is_granted);
  s.measured = 700_MiB;
  const RequestId other = s.command({"other"});
  s.wait(3s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_TRUE(s.reply(other) && s.reply(other)->is_granted);
}

TEST(Tiers, AResumeThatComesTooLateIsNoFailureOfALoad) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  const RequestId request = s.command({"a"}, 300s);
  const auto started = s.sent<action::StartResume>();
  s.wait(31s);
  s.send(event::TimerFired{});
  ASSERT_EQ(s.sent<action::CancelLoad>().size(), 1U);
  s.send(event::LoadFinished{started.at(0).work, WorkOutcome::done, 400_MiB, ""});
  s.play();
  EXPECT_EQ(s.engine.totals().resume_failures, 1U);
  EXPECT_EQ(s.engine.totals().load_failures, 0U);
  ASSERT_TRUE(s.reply(request)) << "it is loaded anew, at once";
  EXPECT_TRUE(s.reply(request)->is_granted);
}

TEST(Tiers, TheWorthOfWhatHibernatesIsThatOfTheWhole) {
  Spec a = sleeper("a");
  Script s = script({a, spec("b", 400_MiB)}, 4_GiB);
  Configuration gdsf;
  gdsf.settings = s.engine.settings();
  gdsf.settings.policy = "gdsf";
  gdsf.components = {a, spec("b", 400_MiB)};
  s.send(event::Configured{gdsf});
  warm(s, "a", 400_MiB, 10s);
  s.asleep = 60_MiB;
  put_to_sleep(s, "a");
  warm(s, "b", 400_MiB, 20s);
  left(s, 1020_MiB);  // the rest of a is enough
  EXPECT_EQ(s.state("a"), State::unloading) << "of half the load time of b";
  EXPECT_EQ(s.state("b"), State::ready);
}

TEST(Tiers, AnEngineFromASnapshotResumesIt) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  put_to_sleep(s, "a");
  auto restored = Engine::restore(s.engine.snapshot());
  ASSERT_TRUE(restored);
  s.engine = std::move(*restored);
  s.command({"a"});
  EXPECT_EQ(s.sent<action::StartResume>().size(), 1U);
}

TEST(Tiers, OneThatWasWokenByARestartIsReady) {
  Script s = script({sleeper("a")}, 4_GiB);
  warm(s, "a", 400_MiB);
  const WorkId load = s.engine.component(s.id("a")).load;
  put_to_sleep(s, "a");
  s.send(event::Restored{{{s.id("a"), load, 390_MiB}}});
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_EQ(s.engine.component(s.id("a")).reserved, 390_MiB);
}

}  // namespace
}  // namespace hearth

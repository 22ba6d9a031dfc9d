// Who waits how long, who gives way to whom, and what is tried again when.
#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::Script;
using testing::script;
using testing::spec;

Spec of_priority(std::string name, Priority priority, Bytes memory = 100_MiB) {
  Spec result = spec(std::move(name), memory);
  result.priority = priority;
  return result;
}

struct Objective {
  Priority priority;
  Duration wait;
  bool is_met;
};

TEST(Objectives, AreThoseOfThePriority) {
  for (const Objective& one :
       {Objective{Priority::low, 1900ms, true}, Objective{Priority::low, 2100ms, false},
        Objective{Priority::medium, 450ms, true}, Objective{Priority::medium, 550ms, false},
        Objective{Priority::high, 90ms, true}, Objective{Priority::high, 110ms, false}}) {
    Script s = script({of_priority("a", one.priority)});
    s.command({"a"});
    s.wait(one.wait);
    s.play();
    EXPECT_EQ(s.engine.totals().objectives_met, one.is_met ? 1U : 0U) << milliseconds(one.wait);
    EXPECT_EQ(s.engine.totals().objectives_missed, one.is_met ? 0U : 1U) << milliseconds(one.wait);
  }
}

TEST(Objectives, AWaitThatEndsInATimeOutIsMissedAndNobodysWaitIsNone) {
  Script s = script({of_priority("a", Priority::low)});
  s.command({"a"}, 5s);
  s.command({"a"}, 30s, false);
  s.wait(6s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_EQ(s.engine.totals().objectives_missed, 1U);
  EXPECT_EQ(s.engine.totals().objectives_met, 0U);
}

TEST(Conflicts, AnIdleRivalOfHigherPriorityStaysAndTheRefusalSaysSo) {
  Spec low = of_priority("low", Priority::low);
  low.conflicts = {"high"};
  Script s = script({low, of_priority("high", Priority::high)});
  const RequestId held = s.command({"high"});
  s.play();
  s.release(held);
  const RequestId asked = s.command({"low"}, 2s);
  EXPECT_EQ(s.state("high"), State::ready);
  s.wait(3s);
  s.send(event::TimerFired{});
  const auto reply = s.reply(asked);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->code, Errc::conflict);
  EXPECT_EQ(reply->reason, Reason::outranked);
  EXPECT_EQ(reply->other, s.id("high"));
}

std::size_t revoked(const Script& s) {
  std::size_t count = 0;
  for (const Decision& decision : s.engine.decisions()) {
    if (decision.reason == Reason::revoked) ++count;
  }
  return count;
}

// Four components with a preemptible lease each fill the budget.
Script full_of(Priority priority) {
  std::vector<Spec> specs;
  for (const char* name : {"a", "b", "c", "d"}) {
    specs.push_back(of_priority(name, priority, 50_MiB));
  }
  specs.push_back(of_priority("low", Priority::low, 50_MiB));
  specs.push_back(of_priority("high", Priority::high, 50_MiB));
  specs.push_back(of_priority("large", Priority::high, 190_MiB));
  Script s = script(std::move(specs), 200_MiB);
  for (const char* name : {"a", "b", "c", "d"}) {
    s.lease({name}, true);
    s.play();
  }
  return s;
}

TEST(Preemption, AsManyLeasesAreRevokedAsMakeRoom) {
  Script s = full_of(Priority::medium);
  s.command({"high"});
  EXPECT_EQ(revoked(s), 1U);
  s.wait(1ms);
  s.command({"high"});
  EXPECT_EQ(revoked(s), 1U) << "what is revoked already is enough";
}

TEST(Preemption, WhatIsWorthMoreIsNotRevoked) {
  Script s = full_of(Priority::high);
  s.command({"low"});
  EXPECT_EQ(revoked(s), 0U);
}

TEST(Preemption, NothingIsRevokedWhenItWouldNotDo) {
  Script s = full_of(Priority::medium);
  s.lease({"d"});
  s.command({"large"});
  EXPECT_EQ(revoked(s), 0U);
}

TEST(BackOff, EachTryOfASeriesRestsTwiceAsLong) {
  Script s = script({spec("a")});
  s.command({"a"}, 60s);
  std::vector<Duration> rests;
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto load = s.sent<action::StartLoad>().at(0);
    s.send(event::LoadFinished{load.work, WorkOutcome::failed, {}, ""});
    const Duration rest = s.engine.component(s.id("a")).retry_at - s.at;
    rests.push_back(rest);
    s.wait(rest);
    s.send(event::TimerFired{});
  }
  EXPECT_EQ(rests, (std::vector<Duration>{1s, 2s}));
}

// How long `name` rests after each of `exits` that come as soon as it is ready.
std::vector<Duration> rests_after_exits(Script& s, const std::string& name, int exits) {
  std::vector<Duration> rests;
  for (int i = 0; i < exits; ++i) {
    const ComponentView seen = s.engine.component(s.id(name));
    if (seen.state != State::ready) break;
    s.send(event::ComponentExited{s.id(name), seen.load, ""});
    const Duration rest = s.engine.component(s.id(name)).retry_at - s.at;
    rests.push_back(rest);
    s.wait(rest);
    s.send(event::TimerFired{});
    s.play();
  }
  return rests;
}

TEST(BackOff, ACoreComponentThatCrashesAgainAndAgainComesBackWithLongerRests) {
  Script s = script({of_priority("a", Priority::core)});
  s.play();
  EXPECT_EQ(rests_after_exits(s, "a", 6), (std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s}));
  EXPECT_EQ(s.state("a"), State::ready);
  s.wait(2min);  // it lasted: no series any more
  EXPECT_EQ(rests_after_exits(s, "a", 1), (std::vector<Duration>{1s}));
}

TEST(BackOff, WhatWasLoadedAtTheStartComesBackAfterItExited) {
  Spec eager = spec("a");
  eager.is_lazy = false;
  Script s = script({eager});
  s.play();
  EXPECT_EQ(rests_after_exits(s, "a", 1).size(), 1U);
  EXPECT_EQ(s.state("a"), State::ready);
}

TEST(BackOff, ARestartOfTheDaemonIsNoFailure) {
  Script s = script({of_priority("a", Priority::core)});
  s.play();
  for (int i = 0; i < 5; ++i) {
    s.send(event::Restored{});
    s.play();
    EXPECT_EQ(s.state("a"), State::ready) << i;
  }
}

TEST(Start, WhatIsLoadedAtTheStartComesAfterCore) {
  Spec eager = spec("eager");
  eager.is_lazy = false;
  Script s = script({eager, of_priority("core", Priority::core)});
  ASSERT_EQ(s.sent<action::StartLoad>().size(), 1U);
  EXPECT_EQ(s.sent<action::StartLoad>()[0].component, s.id("core"));
  s.play();
  EXPECT_EQ(s.state("eager"), State::ready);
}

TEST(Start, ACoreComponentThatFailsKeepsNothingElseAway) {
  Spec eager = spec("eager");
  eager.is_lazy = false;
  Script s = script({eager, of_priority("core", Priority::core)});
  const auto load = s.sent<action::StartLoad>().at(0);
  s.send(event::LoadFinished{load.work, WorkOutcome::failed, {}, ""});
  ASSERT_EQ(s.sent<action::StartLoad>().size(), 1U);
  EXPECT_EQ(s.sent<action::StartLoad>()[0].component, s.id("eager"));
}

TEST(Abandoned, WhatLoadsForNobodyElseIsCancelled) {
  Script s = script({spec("a"), spec("b")});
  const RequestId one = s.command({"a"});
  s.command({"b"});
  s.command({"b"});
  s.send(event::RequestAbandoned{one});
  EXPECT_EQ(s.sent<action::CancelLoad>().size(), 1U);
  s.send(event::RequestAbandoned{RequestId{one.value + 1}});
  EXPECT_TRUE(s.sent<action::CancelLoad>().empty());
}

TEST(Refusals, NameTheOneThatReallyNeedsWhatFailed) {
  Spec ocr = spec("ocr");
  ocr.needs = {"screen"};
  Script s = script({spec("other"), spec("screen"), ocr});
  Configuration once;
  once.settings = s.engine.settings();
  once.settings.load_attempts_max = 1;
  once.components = {spec("other"), spec("screen"), ocr};
  s.send(event::Configured{once});
  const RequestId asked = s.command({"other", "ocr"});
  for (const auto& load : s.sent<action::StartLoad>()) {
    if (load.component != s.id("screen")) continue;
    s.send(event::LoadFinished{load.work, WorkOutcome::failed, {}, ""});
    break;
  }
  const auto reply = s.reply(asked);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->component, s.id("screen"));
  EXPECT_EQ(reply->other, s.id("ocr"));
}

TEST(Refusals, APoolThatIsTooSmallIsNotCalledTheBudget) {
  Spec one = spec("one", 80_MiB);
  one.pool = "v";
  Spec two = spec("two", 80_MiB);
  two.pool = "v";
  two.needs = {"one"};
  Script s;
  Configuration configuration;
  configuration.settings.budget = 500_MiB;
  configuration.settings.policy = "lru";
  configuration.settings.pools = {{"v", 100_MiB, true}};
  configuration.components = {one, two};
  s.send(event::Configured{configuration});
  const auto reply = s.reply(s.command({"two"}));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->reason, Reason::pool_too_small);
}

TEST(Bounds, ASpikeAboveTheBudgetDoesNotBanWhatIsDeclaredToFit) {
  Script s = script({spec("a", 100_MiB)}, 200_MiB);
  s.measured = 300_MiB;
  const RequestId first = s.command({"a"});
  s.play();
  s.release(first);
  s.play();
  ASSERT_EQ(s.state("a"), State::unloaded);
  EXPECT_EQ(s.engine.bound(s.id("a")), 200_MiB);
  s.measured = 100_MiB;
  const RequestId again = s.command({"a"});
  s.play();
  ASSERT_TRUE(s.reply(again));
  EXPECT_TRUE(s.reply(again)->is_granted);
}

TEST(Conflicts, WhoWasToGoForARivalStaysWhenNobodyWantsThatAnyMore) {
  Spec above = spec("above");
  above.needs = {"a"};
  Spec rival = spec("rival");
  rival.conflicts = {"a"};
  Script s = script({spec("a"), above, rival});
  const RequestId first = s.command({"above"});
  s.play();
  s.release(first);
  s.play();
  const RequestId waiting = s.command({"rival"});
  ASSERT_EQ(s.state("a"), State::draining) << "what needs it goes first";
  const auto closing = s.sent<action::CloseGate>();
  ASSERT_EQ(closing.size(), 1U);
  s.send(event::RequestAbandoned{waiting});
  EXPECT_EQ(s.state("a"), State::ready);
  s.send(event::GateClosed{closing[0].component});
  s.play();
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_EQ(s.state("above"), State::unloaded);
}

}  // namespace
}  // namespace hearth

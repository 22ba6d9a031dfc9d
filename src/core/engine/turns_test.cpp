#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::script;
using testing::Script;
using testing::spec;

RequestId use(Script& s, const char* name, bool is_use = true, Duration patience = 30s) {
  const RequestId request{s.next_request++};
  event::LeaseRequested event{.request = request};
  event.components.push_back(s.id(name));
  event.is_use = is_use;
  event.ends_with_answer = is_use;
  event.patience = patience;
  event.length = 10min;
  s.send(event);
  return request;
}

// Loaded within a second, and held by the answer of the request that it returns.
RequestId load(Script& s, const char* name, bool is_use = true, Bytes measured = 600_MiB) {
  const RequestId request = use(s, name, is_use);
  s.wait(1s);
  s.measured = measured;
  s.play();
  return request;
}

// What is due by then is done.
void pass(Script& s, Duration span) {
  s.wait(span);
  s.send(event::TimerFired{});
}

bool is_answered(const Script& s, RequestId request) {
  const auto reply = s.reply(request);
  return reply && reply->is_granted;
}

Script two_that_do_not_fit_together() {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  const RequestId first = load(s, "b");
  s.release(first);
  return s;
}

TEST(Turns, WhoIsAskedForAllTheTimeGivesWayWhenItsTurnIsOver) {
  Script s = two_that_do_not_fit_together();
  const RequestId held = use(s, "a");
  s.play();  // b goes
  s.wait(1s);
  s.play();
  ASSERT_EQ(s.state("a"), State::ready);

  const RequestId waiting = use(s, "b");
  EXPECT_EQ(s.state("a"), State::ready) << "it has not been there for long enough";
  const RequestId within = use(s, "a");
  EXPECT_TRUE(is_answered(s, within)) << "whoever comes within its turn is served";

  s.wait(2s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::draining);
  EXPECT_EQ(s.sent<action::BarGate>().size(), 1U);
  const RequestId after = use(s, "a");
  EXPECT_FALSE(is_answered(s, after));

  s.release(held);
  EXPECT_EQ(s.state("a"), State::draining) << "an answer is under way still";
  s.release(within);
  s.play();
  EXPECT_EQ(s.state("b"), State::ready);
  EXPECT_TRUE(is_answered(s, waiting));
  EXPECT_FALSE(is_answered(s, after)) << "its turn comes again";
}

TEST(Turns, ALeaseThatAnApplicationTookIsNotTouched) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  (void)load(s, "a", false);
  (void)use(s, "b");
  s.wait(20s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::ready);
}

TEST(Turns, OfAHigherPriorityIsNotEnded) {
  Spec high = spec("a", 600_MiB);
  high.priority = Priority::high;
  Script s = script({high, spec("b", 600_MiB)}, 1_GiB);
  (void)load(s, "a");
  (void)use(s, "b");
  s.wait(20s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::ready);
}

TEST(Turns, IsGivenBackWhenNobodyWaitsAnyMore) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  (void)load(s, "a");
  const RequestId waiting = use(s, "b");
  s.wait(20s);
  s.send(event::TimerFired{});
  ASSERT_EQ(s.state("a"), State::draining);
  s.send(event::RequestAbandoned{waiting});
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_EQ(s.sent<action::OpenGate>().size(), 1U);
}

TEST(Turns, IsGivenBackByAPin) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  const RequestId held = load(s, "a");
  (void)use(s, "b");
  s.wait(20s);
  s.send(event::TimerFired{});
  ASSERT_EQ(s.state("a"), State::draining);
  s.send(event::PinRequested{.request = RequestId{s.next_request++}, .component = s.id("a")});
  EXPECT_EQ(s.state("a"), State::ready);
  s.release(held);
  EXPECT_EQ(s.state("a"), State::ready);
}

TEST(Turns, ARivalGivesWayToo) {
  Spec b = spec("b");
  b.conflicts = {"a"};
  Script s = script({spec("a"), b});
  const RequestId held = load(s, "a");
  const RequestId waiting = use(s, "b");
  EXPECT_EQ(s.state("a"), State::ready);
  s.wait(20s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::draining);
  s.release(held);
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
}

TEST(Turns, NoneIsEndedForARequestThatAnotherRivalHinders) {
  Spec b = spec("b");
  b.conflicts = {"a", "z"};
  Spec high = spec("z");
  high.priority = Priority::high;
  Script s = script({spec("a"), b, high}, 4_GiB);
  (void)load(s, "a");
  const RequestId other = load(s, "z");
  s.release(other);
  (void)use(s, "b");
  s.wait(20s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_TRUE(s.ever<action::BarGate>().empty());
}

// A large one, and three small ones of which two are answering and have been for long enough.
struct LargeAndSmall {
  Script s = script({spec("a", 400_MiB), spec("b", 400_MiB), spec("c", 400_MiB),
                     spec("large", 800_MiB), spec("crumb", 100_MiB)},
                    1_GiB);
  RequestId of_a = load(s, "a", true, 400_MiB);
  RequestId of_b = load(s, "b", true, 400_MiB);
  LargeAndSmall() { s.wait(3s); }
};

TEST(Turns, RoomThatOneFreesIsKeptForWhoWaitsForASecondToEnd) {
  LargeAndSmall world;
  Script& s = world.s;
  const RequestId waiting = use(s, "large");
  ASSERT_EQ(s.state("a"), State::draining);
  ASSERT_EQ(s.state("b"), State::draining);
  s.release(world.of_a);
  s.play();
  ASSERT_EQ(s.state("a"), State::unloaded);
  (void)use(s, "c");
  EXPECT_EQ(s.state("c"), State::unloaded) << "the room is promised";
  s.release(world.of_b);
  s.measured = 800_MiB;
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
}

TEST(Turns, WhatFitsBesideTheRoomThatIsKeptIsLoaded) {
  LargeAndSmall world;
  Script& s = world.s;
  (void)use(s, "large");
  s.release(world.of_a);
  s.play();
  (void)use(s, "crumb");
  EXPECT_EQ(s.state("crumb"), State::loading);
}

TEST(Turns, RoomIsNotKeptForLongerThanAnswersUsuallyTake) {
  LargeAndSmall world;
  Script& s = world.s;
  (void)use(s, "large");
  s.release(world.of_a);
  s.play();
  (void)use(s, "c");
  pass(s, 3s);
  EXPECT_EQ(s.state("c"), State::loading);
}

TEST(Turns, EndOneAfterTheOther) {
  LargeAndSmall world;
  Script& s = world.s;
  (void)use(s, "c");
  EXPECT_EQ(s.state("a"), State::draining);
  EXPECT_EQ(s.state("b"), State::ready) << "one is enough";
  (void)use(s, "large");
  EXPECT_EQ(s.state("b"), State::ready) << "an exchange is under way";
}

// A small component whose need holds the memory, and one that does not fit beside that.
struct SmallOverLarge {
  Script s = script(
      [] {
        Spec small = spec("small", 50_MiB);
        small.needs = {"base"};
        Spec other = spec("other", 50_MiB);
        other.needs = {"base"};
        return std::vector{spec("base", 600_MiB), small, other, spec("c", 600_MiB)};
      }(),
      1_GiB);
  RequestId bring(const char* name, bool is_use = true) {
    const RequestId request = use(s, name, is_use);
    for (const Bytes bytes : {600_MiB, 50_MiB}) {
      s.wait(500ms);
      s.measured = bytes;
      if (s.state(name) != State::ready) answer_load();
    }
    return request;
  }
  // One load at a time: each start comes with the end of the one before.
  void answer_load() {
    const auto starts = s.sent<action::StartLoad>();
    ASSERT_EQ(starts.size(), 1U);
    s.send(event::LoadFinished{starts[0].work, WorkOutcome::done, s.measured, ""});
  }
};

TEST(Turns, EndsWithWhatItsUsersAloneHoldByNeedingIt) {
  SmallOverLarge world;
  Script& s = world.s;
  const RequestId held = world.bring("small");
  ASSERT_EQ(s.state("small"), State::ready);
  const RequestId waiting = use(s, "c");
  pass(s, 3s);
  EXPECT_EQ(s.state("small"), State::draining);
  EXPECT_EQ(s.state("base"), State::draining);
  s.release(held);
  s.measured = 600_MiB;
  s.play();
  EXPECT_EQ(s.state("small"), State::unloaded);
  EXPECT_EQ(s.state("base"), State::unloaded);
  EXPECT_TRUE(is_answered(s, waiting));
}

TEST(Turns, AreNotEndedWhenWhatTheyNeedIsHeldByAnother) {
  SmallOverLarge world;
  Script& s = world.s;
  (void)world.bring("small");
  s.actions.clear();
  (void)use(s, "other", false);
  world.answer_load();
  ASSERT_EQ(s.state("other"), State::ready);
  (void)use(s, "c");
  pass(s, 20s);
  EXPECT_EQ(s.state("small"), State::ready) << "its memory alone would not do";
  EXPECT_EQ(s.state("base"), State::ready);
}

TEST(Turns, TakeIdleDependentsAlong) {
  SmallOverLarge world;
  Script& s = world.s;
  const RequestId of_small = world.bring("small");
  const RequestId of_base = use(s, "base");
  s.release(of_small);
  const RequestId waiting = use(s, "c");
  pass(s, 3s);
  EXPECT_EQ(s.state("small"), State::closing);
  EXPECT_EQ(s.state("base"), State::draining);
  s.play();
  s.release(of_base);
  s.measured = 600_MiB;
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
}

TEST(Turns, AreGivenBackWithWhatTheyNeed) {
  SmallOverLarge world;
  Script& s = world.s;
  (void)world.bring("small");
  (void)use(s, "c");
  pass(s, 3s);
  ASSERT_EQ(s.state("base"), State::draining);
  s.send(event::PinRequested{.request = RequestId{s.next_request++}, .component = s.id("small")});
  EXPECT_EQ(s.state("small"), State::ready);
  EXPECT_EQ(s.state("base"), State::ready);
}

TEST(Turns, OfAVeryLongAnswerIsGivenBackAndBeginsAnew) {
  Script s = two_that_do_not_fit_together();
  (void)load(s, "a");
  (void)use(s, "b", true, 10min);
  pass(s, 3s);
  ASSERT_EQ(s.state("a"), State::draining);
  const RequestId barred = use(s, "a", true, 10min);
  pass(s, 29s);
  EXPECT_EQ(s.state("a"), State::draining);
  pass(s, 1s);
  EXPECT_EQ(s.state("a"), State::ready);
  EXPECT_EQ(s.sent<action::OpenGate>().size(), 1U);
  EXPECT_TRUE(is_answered(s, barred));
  pass(s, 29s);
  EXPECT_EQ(s.state("a"), State::ready) << "as long as it was waited for in vain";
  pass(s, 4s);
  EXPECT_EQ(s.state("a"), State::draining);
}

TEST(Turns, WhoseAnswerIsLongIsNotWaitedForWhileAnotherCanGo) {
  LargeAndSmall world;
  Script& s = world.s;
  const RequestId waiting = use(s, "c");
  ASSERT_EQ(s.state("a"), State::draining);
  ASSERT_EQ(s.state("b"), State::ready);
  pass(s, 2s);
  EXPECT_EQ(s.state("b"), State::draining);
  s.release(world.of_b);
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
  EXPECT_EQ(s.state("a"), State::ready) << "nobody waits any more";
}

TEST(Turns, AreTakenByWhatACommandWasGivenForAnAnswerAndThatIsNoUse) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  event::CommandReceived command{.request = RequestId{s.next_request++}, .command = CommandId{7}};
  command.intents.push_back({s.id("a"), 1.0});
  command.ends_with_answer = true;
  s.send(command);
  s.wait(1s);
  s.measured = 600_MiB;
  s.play();
  ASSERT_TRUE(is_answered(s, command.request));
  const RequestId waiting = use(s, "b");
  pass(s, 2s);
  EXPECT_EQ(s.state("a"), State::draining);
  s.release(command.request);
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
  EXPECT_EQ(s.engine.component(s.id("a")).uses, 0U);
}

TEST(Turns, AUseIsCountedForWhatItNamesWithoutACommand) {
  Script s = script({spec("a"), spec("b")});
  (void)load(s, "a");
  (void)use(s, "a");
  EXPECT_EQ(s.engine.component(s.id("a")).uses, 2U);
  EXPECT_EQ(s.engine.component(s.id("a")).warm_uses, 1U);
  (void)use(s, "a", false);
  EXPECT_EQ(s.engine.component(s.id("a")).uses, 2U) << "a lease by itself is none";
}

TEST(Turns, APreemptibleLeaseBesideAnswersIsRevokedWithTheTurn) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  const RequestId held = load(s, "a");
  const RequestId kept = s.lease({"a"}, true);
  ASSERT_TRUE(is_answered(s, kept));
  const RequestId waiting = use(s, "b");
  s.wait(20s);
  s.send(event::TimerFired{});
  EXPECT_EQ(s.state("a"), State::draining);
  s.release(held);
  s.wait(3s);  // the grace
  s.send(event::TimerFired{});
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
}

TEST(Turns, WhoWaitsIsServedWhenTheLastAnswerBesideAPreemptibleLeaseEnds) {
  Script s = script({spec("a", 600_MiB), spec("b", 600_MiB)}, 1_GiB);
  const RequestId held = load(s, "a");
  (void)s.lease({"a"}, true);
  const RequestId waiting = use(s, "b");
  s.release(held);
  s.wait(3s);
  s.send(event::TimerFired{});
  s.play();
  EXPECT_TRUE(is_answered(s, waiting));
}

}  // namespace
}  // namespace hearth

#include <gtest/gtest.h>

#include "core/engine/script.h"

namespace hearth {
namespace {

using testing::script;
using testing::Script;
using testing::spec;

RequestId use(Script& s, const char* name, bool is_use = true) {
  const RequestId request{s.next_request++};
  event::LeaseRequested event{.request = request};
  event.components.push_back(s.id(name));
  event.is_use = is_use;
  s.send(event);
  return request;
}

// Loaded within a second, and held by the answer of the request that it returns.
RequestId load(Script& s, const char* name, bool is_use = true) {
  const RequestId request = use(s, name, is_use);
  s.wait(1s);
  s.measured = 600_MiB;
  s.play();
  return request;
}

bool is_answered(const Script& s, RequestId request) { return s.reply(request).has_value(); }

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

TEST(Turns, AUseIsCountedForWhatItNamesWithoutACommand) {
  Script s = script({spec("a"), spec("b")});
  (void)load(s, "a");
  (void)use(s, "a");
  EXPECT_EQ(s.engine.component(s.id("a")).uses, 2U);
  EXPECT_EQ(s.engine.component(s.id("a")).warm_uses, 1U);
  (void)use(s, "a", false);
  EXPECT_EQ(s.engine.component(s.id("a")).uses, 2U) << "a lease by itself is none";
}

}  // namespace
}  // namespace hearth

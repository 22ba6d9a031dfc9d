#include "runtime/measures.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/engine/script.h"
#include "runtime/daemon_testing.h"

namespace hearth {
namespace {

using testing::DaemonTest;
using testing::spec;

Duration sum(const HistogramFigures& figures) { return Duration{figures.sum_ns}; }

std::uint64_t refusals(const MeasureFigures& figures, Reason reason) {
  return figures.refusals.at(static_cast<std::size_t>(reason));
}

// An engine whose every step is looked through.
struct Watched {
  explicit Watched(std::vector<Spec> specs)
      : script(testing::script(std::move(specs), 1_GiB)), seen(script.all.size()) {}

  // After each event or play(): what it has brought.
  void look() {
    measures.observe(script.engine, std::span{script.all}.subspan(seen));
    seen = script.all.size();
  }
  void play_after(Duration span) {
    look();
    script.wait(span);
    script.play();
    look();
  }
  MeasureFigures figures() {
    look();
    return measures.figures();
  }

  testing::Script script;
  std::size_t seen;
  Measures measures;
};

Spec of_priority(std::string name, Priority priority, Bytes memory = 100_MiB) {
  Spec made = spec(std::move(name), memory);
  made.priority = priority;
  return made;
}

TEST(Measures, AColdCommandWaitsForItsLoad) {
  Watched w({of_priority("asr", Priority::high)});
  (void)w.script.command({"asr"});
  w.play_after(3s);
  const MeasureFigures figures = w.figures();
  const HistogramFigures& cold = figures.waits.cold.at(static_cast<std::size_t>(Priority::high));
  EXPECT_EQ(cold.count(), 1U);
  EXPECT_EQ(sum(cold), 3s);
  EXPECT_EQ(figures.loads.count(), 1U);
  EXPECT_EQ(sum(figures.loads), 3s);
  EXPECT_EQ(figures.queueing.count(), 1U) << "its load began at once";
  EXPECT_EQ(sum(figures.queueing), 0s);
}

TEST(Measures, AWarmCommandIsAWaitAndNoQueueing) {
  Watched w({spec("asr")});
  (void)w.script.command({"asr"});
  w.play_after(3s);
  (void)w.script.command({"asr"});
  const MeasureFigures figures = w.figures();
  EXPECT_EQ(figures.waits.warm.at(static_cast<std::size_t>(Priority::medium)).count(), 1U);
  EXPECT_EQ(figures.queueing.count(), 1U);
}

TEST(Measures, ACommandThatNeedsNothingAndALoadByHandAreNoWaits) {
  Watched w({spec("asr")});
  (void)w.script.command({});
  w.script.send(event::LoadRequested{.request = RequestId{99}, .component = w.script.id("asr")});
  w.play_after(1s);
  const MeasureFigures figures = w.figures();
  for (std::size_t i = 0; i < limit_of(Priority{}); ++i) {
    EXPECT_EQ(figures.waits.warm.at(i).count() + figures.waits.cold.at(i).count(), 0U);
  }
  EXPECT_EQ(figures.queueing.count(), 1U) << "but the load has a queue";
}

TEST(Measures, WhoJoinsALoadUnderWayHasNotQueued) {
  Watched w({spec("asr")});
  (void)w.script.command({"asr"});
  const std::vector<Action> started = w.script.actions;
  w.look();
  w.script.wait(1s);
  (void)w.script.command({"asr"});
  w.look();
  w.script.actions = started;
  w.play_after(1s);
  const MeasureFigures figures = w.figures();
  EXPECT_EQ(figures.queueing.count(), 2U);
  EXPECT_EQ(sum(figures.queueing), 0s);
}

TEST(Measures, WhoWaitsForMemoryQueuesUntilItsLoadBegins) {
  Watched w({spec("a", 600_MiB), spec("b", 600_MiB)});
  w.script.measured = 600_MiB;
  const RequestId held = w.script.lease({"a"});
  w.play_after(1s);
  (void)w.script.command({"b"});
  w.play_after(7s);  // nothing: a is leased
  w.script.release(held);
  w.play_after(2s);  // a goes, then b is loaded
  w.play_after(3s);
  const MeasureFigures figures = w.figures();
  EXPECT_EQ(figures.queueing.count(), 2U);
  EXPECT_EQ(sum(figures.queueing), 9s) << "7 s for the lease, 2 s for the unload";
  const HistogramFigures& age = figures.eviction_ages.at(0);
  EXPECT_EQ(age.count(), 1U);
  EXPECT_EQ(sum(age), 0s) << "it was in use until then";
}

TEST(Measures, WhoIsRefusedBeforeAnyLoadHasQueuedAllTheTime) {
  Watched w({spec("a", 600_MiB), spec("b", 600_MiB)});
  w.script.measured = 600_MiB;
  (void)w.script.lease({"a"});
  w.play_after(1s);
  (void)w.script.command({"b"}, 5s);
  w.look();
  w.script.wait(5s);
  w.script.send(event::TimerFired{});
  const MeasureFigures figures = w.figures();
  EXPECT_EQ(refusals(figures, Reason::memory), 1U);
  EXPECT_EQ(sum(figures.queueing), 5s);
}

TEST(Measures, TheAgeOfWhatIsEvictedIsTheTimeSinceItsUse) {
  Watched w({spec("a", 600_MiB), spec("b", 600_MiB)});
  w.script.measured = 600_MiB;
  w.script.send(event::LoadRequested{.request = RequestId{99}, .component = w.script.id("a")});
  w.play_after(1s);
  w.script.wait(40s);
  (void)w.script.command({"b"});
  w.play_after(0s);
  const MeasureFigures figures = w.figures();
  ASSERT_EQ(eviction_reasons.at(0), Reason::memory);
  EXPECT_EQ(figures.eviction_ages.at(0).count(), 1U);
  EXPECT_EQ(sum(figures.eviction_ages.at(0)), 40s);
}

TEST(Measures, APreloadThatIsNeverUsedIsWasted) {
  Watched w({spec("asr"), spec("ocr")});
  event::CommandReceived likely{.request = RequestId{50}, .command = CommandId{50}};
  likely.intents = {{w.script.id("asr"), 0.3}, {w.script.id("ocr"), 0.3}};
  w.script.send(likely);
  w.play_after(1s);
  (void)w.script.command({"ocr"});
  w.look();
  EXPECT_EQ(w.figures().preloads_wasted, 0U);
  w.script.wait(120s);
  w.script.send(event::TimerFired{});
  w.play_after(0s);
  ASSERT_EQ(w.script.state("asr"), State::unloaded) << "it has expired";
  EXPECT_EQ(w.figures().preloads_wasted, 1U);
}

TEST(Measures, APreloadThatFailsIsWasted) {
  Watched w({spec("asr")});
  event::CommandReceived likely{.request = RequestId{50}, .command = CommandId{50}};
  likely.intents = {{w.script.id("asr"), 0.3}};
  w.script.send(likely);
  const auto loads = w.script.sent<action::StartLoad>();
  ASSERT_EQ(loads.size(), 1U);
  w.look();
  w.script.send(event::LoadFinished{loads[0].work, WorkOutcome::failed, Bytes{}, "no"});
  EXPECT_EQ(w.figures().preloads_wasted, 1U);
}

TEST_F(DaemonTest, WhatIsMeasuredIsInTheStatusAndBeginsAnewWithTheProcess) {
  begin();
  ASSERT_TRUE(command("ocr").reply.is_granted);
  ASSERT_TRUE(command("ocr").reply.is_granted) << "warm, without the core";
  EXPECT_FALSE(release(LeaseId{12345}).reply.is_granted);
  const MeasureFigures figures = status().measures;
  const auto medium = static_cast<std::size_t>(Priority::medium);
  EXPECT_EQ(figures.waits.cold.at(medium).count(), 1U);
  EXPECT_EQ(figures.waits.warm.at(medium).count(), 1U);
  EXPECT_EQ(figures.loads.count(), 1U);
  EXPECT_EQ(refusals(figures, Reason::unknown_lease), 1U);
  EXPECT_GE(figures.steps.count(), 4U);
  kill_now();
  begin();
  EXPECT_EQ(status().measures.waits.cold.at(medium).count(), 0U) << "a replay is not measured";
  EXPECT_EQ(status().totals.commands, 2U) << "what the engine counts goes on";
}

}  // namespace
}  // namespace hearth

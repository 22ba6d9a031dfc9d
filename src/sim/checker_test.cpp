// Every check of the checker can fail: hand-made histories, right but for one thing.
#include "sim/checker.h"

#include <gtest/gtest.h>

namespace hearth::sim {
namespace {

constexpr ComponentId base{0};
constexpr ComponentId top{1};    // needs base
constexpr ComponentId rival{2};  // clashes with top
constexpr ComponentId core{3};

Spec spec(std::string name, Bytes memory) {
  Spec made;
  made.name = std::move(name);
  made.memory = memory;
  return made;
}

// A checker and a clock: each call is one step of a made-up engine.
struct History {
  Checker checker;
  Instant at{1'000'000'000};
  std::uint64_t next_work = 1;
  std::uint64_t next_request = 1;
  std::uint64_t next_decision = 1;
  WorkId base_load;
  WorkId top_load;

  explicit History(Bytes budget = 1_GiB) {
    Configuration configuration;
    configuration.settings.budget = budget;
    configuration.settings.loads_parallel_max = 2;
    configuration.components = {spec("base", 100_MiB), spec("top", 100_MiB), spec("rival", 100_MiB),
                                spec("core", 100_MiB)};
    configuration.components[1].needs = {"base"};
    configuration.components[1].conflicts = {"rival"};
    configuration.components[3].priority = Priority::core;
    step(event::Configured{configuration});
  }

  void step(Event::What what, std::vector<Action> actions = {}) {
    checker.apply(Event{.at = at, .what = std::move(what)}, actions);
  }
  void wait(Duration span) { at = at + span; }
  RequestId request() { return RequestId{next_request++}; }
  action::StartLoad load(ComponentId id, Bytes reserved = 100_MiB) {
    return {.work = WorkId{next_work++}, .component = id, .reserved = reserved};
  }
  action::StartUnload unload(ComponentId id) { return {WorkId{next_work++}, id}; }
  action::Record record(DecisionKind kind) {
    return {Decision{.sequence = next_decision++, .at = at, .kind = kind}};
  }
  action::ArmTimer timer(Duration in = 2s) { return {at + in}; }
  // Brings it up in two steps.
  WorkId bring_up(ComponentId id) {
    const action::StartLoad start = load(id);
    step(event::TimerFired{}, {start, timer()});
    step(event::LoadFinished{start.work, WorkOutcome::done, 100_MiB, ""},
         {action::OpenGate{id}, timer()});
    return start.work;
  }
  RequestId ask_lease(std::vector<ComponentId> ids, std::vector<Action> actions) {
    const RequestId id = request();
    step(event::LeaseRequested{.request = id,
                               .components = std::move(ids),
                               .session = {},
                               .command = {},
                               .owner = "test",
                               .patience = 10s,
                               .length = 60s},
         std::move(actions));
    return id;
  }
  action::Reply grant(RequestId id, std::vector<ComponentId> ids, std::uint64_t lease,
                      bool is_cold = false) {
    action::Reply reply{.request = id, .is_granted = true};
    reply.lease = LeaseId{lease};
    reply.lease_until = at + 60s;
    for (const ComponentId one : ids) reply.components.push_back({one, is_cold, true, true});
    return reply;
  }
  // A lease on base that was granted at once.
  void lease_base(std::uint64_t lease, bool is_preemptible = false) {
    const RequestId id = request();
    step(event::LeaseRequested{.request = id,
                               .components = {base},
                               .session = {},
                               .command = {},
                               .owner = "test",
                               .patience = 10s,
                               .length = 60s,
                               .is_preemptible = is_preemptible},
         {grant(id, {base}, lease), timer()});
  }
  std::string broken() const { return checker.violation() ? checker.violation()->invariant : ""; }
  std::string why() const { return checker.violation() ? checker.violation()->text : "nothing"; }
};

TEST(Checker, FindsNothingInAPlainHistory) {
  History h;
  h.bring_up(base);
  h.bring_up(top);
  h.lease_base(1);
  const RequestId release = h.request();
  action::Reply reply{.request = release, .is_granted = true};
  h.step(event::LeaseReleased{release, LeaseId{1}}, {reply});
  h.step(event::TimerFired{}, {action::CloseGate{top}});
  h.step(event::GateClosed{top}, {h.unload(top)});
  EXPECT_EQ(h.broken(), "") << h.why();
}

TEST(Checker, I1FindsALoadThatDoesNotFit) {
  History h{150_MiB};
  h.bring_up(base);
  h.step(event::TimerFired{}, {h.load(top), h.timer()});
  EXPECT_EQ(h.broken(), "I1") << h.why();
}

TEST(Checker, I1FindsAReservationBelowTheBound) {
  History h;
  h.step(event::TimerFired{}, {h.load(base, 99_MiB), h.timer()});
  EXPECT_EQ(h.broken(), "I1") << h.why();
}

TEST(Checker, I1FindsOneLoadTooMany) {
  History h;
  h.step(event::TimerFired{}, {h.load(base), h.load(core), h.timer()});
  EXPECT_EQ(h.broken(), "");
  h.step(event::TimerFired{}, {h.load(rival), h.timer()});
  EXPECT_EQ(h.broken(), "I1") << h.why();
}

TEST(Checker, I2FindsAnUnloadUnderALease) {
  History h;
  h.bring_up(base);
  h.lease_base(1);
  h.step(event::TimerFired{}, {action::CloseGate{base}, h.timer()});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I2FindsAnUnloadBehindAnOpenGate) {
  History h;
  h.bring_up(base);
  h.step(event::TimerFired{}, {h.unload(base)});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I2FindsAnUnloadBeforeTheGateAnswered) {
  History h;
  h.bring_up(base);
  h.step(event::TimerFired{}, {action::CloseGate{base}, h.unload(base)});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I2FindsAnUnloadBeforeItsDependents) {
  History h;
  h.bring_up(base);
  h.bring_up(top);
  h.step(event::TimerFired{}, {action::CloseGate{base}});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I2FindsACoreComponentThatGoes) {
  History h;
  h.bring_up(core);
  h.step(event::TimerFired{}, {action::CloseGate{core}});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I2LetsTheOperatorUnloadCore) {
  History h;
  h.bring_up(core);
  h.step(event::UnloadRequested{h.request(), {core}}, {action::CloseGate{core}});
  EXPECT_EQ(h.broken(), "") << h.why();
}

TEST(Checker, I2FindsAFirmLeaseThatIsRevoked) {
  History h;
  h.bring_up(base);
  h.lease_base(1);
  h.step(event::TimerFired{}, {action::LeaseEnded{LeaseId{1}, Reason::revoked, base}, h.timer()});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I2FindsARevocationBeforeTheGraceIsOver) {
  History h;
  h.bring_up(base);
  h.lease_base(1, true);
  action::Record told = h.record(DecisionKind::waiting);
  told.decision.reason = Reason::revoked;
  told.decision.lease = LeaseId{1};
  h.step(event::TimerFired{}, {told, h.timer(1s)});
  EXPECT_EQ(h.broken(), "");
  h.wait(1s);
  h.step(event::TimerFired{}, {action::LeaseEnded{LeaseId{1}, Reason::revoked, base}, h.timer()});
  EXPECT_EQ(h.broken(), "I2") << h.why();
}

TEST(Checker, I3FindsALoadBesideItsRival) {
  History h;
  h.bring_up(base);
  h.bring_up(rival);
  h.step(event::TimerFired{}, {h.load(top), h.timer()});
  EXPECT_EQ(h.broken(), "I3") << h.why();
}

TEST(Checker, I3FindsALoadBeforeItsNeed) {
  History h;
  h.step(event::TimerFired{}, {h.load(top), h.timer()});
  EXPECT_EQ(h.broken(), "I3") << h.why();
}

TEST(Checker, I4FindsASecondReply) {
  History h;
  h.bring_up(base);
  const RequestId id = h.ask_lease({base}, {h.grant(RequestId{1}, {base}, 1), h.timer()});
  EXPECT_EQ(h.broken(), "") << h.why();
  h.step(event::TimerFired{}, {h.grant(id, {base}, 2), h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsAReplyThatDoesNotCome) {
  History h;
  h.ask_lease({base}, {h.load(base), h.timer(10s)});
  EXPECT_EQ(h.broken(), "") << h.why();
  h.wait(11s);
  h.step(event::TimerFired{}, {h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsADeadlineWithoutATimer) {
  History h;
  h.ask_lease({base}, {h.timer(11s)});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsAReplyToWhomIsGone) {
  History h;
  const RequestId id = h.ask_lease({base}, {h.load(base), h.timer(10s)});
  h.step(event::RequestAbandoned{id}, {h.timer()});
  EXPECT_EQ(h.broken(), "") << h.why();
  h.step(event::TimerFired{}, {h.grant(id, {base}, 1), h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsAGrantOfWhatIsNotReady) {
  History h;
  const RequestId id = h.ask_lease({base}, {h.timer(10s)});
  h.step(event::TimerFired{}, {h.grant(id, {base}, 1, true), h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsColdToldAsWarm) {
  History h;
  const action::StartLoad start = h.load(base);
  const RequestId id = h.ask_lease({base}, {start, h.timer(10s)});
  h.step(event::LoadFinished{start.work, WorkOutcome::done, 100_MiB, ""},
         {action::OpenGate{base}, h.grant(id, {base}, 1, false), h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsALoadOfWhatIsLoading) {
  History h;
  h.step(event::TimerFired{}, {h.load(base), h.timer()});
  h.step(event::TimerFired{}, {h.load(base), h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsAWorkIdThatIsUsedTwice) {
  History h;
  h.bring_up(base);
  h.next_work = 1;
  h.step(event::TimerFired{}, {h.load(core), h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsALoadThatIsNeverCancelled) {
  History h;
  h.step(event::TimerFired{}, {h.load(base), h.timer()});
  h.wait(31s);
  h.step(event::TimerFired{}, {h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsALeaseThatLastsTooLong) {
  History h;
  h.bring_up(base);
  h.lease_base(1);
  h.wait(61s);
  h.step(event::TimerFired{}, {h.timer()});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsAGateThatIsNotReleased) {
  History h;
  h.bring_up(base);
  const LeaseId fast{(1ULL << 63) | 1};
  h.step(event::LeaseTaken{.lease = fast,
                           .components = {base},
                           .session = {},
                           .command = {},
                           .owner = "gateway",
                           .length = 60s},
         {h.timer()});
  const RequestId release = h.request();
  action::Reply reply{.request = release, .is_granted = true};
  h.step(event::LeaseReleased{release, fast}, {reply});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I4FindsAShutdownThatLeavesSomethingRunning) {
  History h;
  h.bring_up(base);
  h.step(event::ShutdownRequested{}, {action::Stopped{}});
  EXPECT_EQ(h.broken(), "I4") << h.why();
}

TEST(Checker, I5FindsARefusalOfWhatIsReady) {
  History h;
  h.bring_up(base);
  action::Reply refusal{
      .request = RequestId{1}, .code = Errc::over_budget, .reason = Reason::memory};
  h.ask_lease({base}, {refusal});
  EXPECT_EQ(h.broken(), "I5") << h.why();
}

TEST(Checker, I5FindsCriticalPressureThatNobodyAnswers) {
  History h;
  h.bring_up(base);
  for (int i = 0; i < 3; ++i) h.step(event::MemorySampled{100_MiB, {}}, {h.timer()});
  EXPECT_EQ(h.broken(), "I5") << h.why();
}

TEST(Checker, I5TakesNothingEvictableForAnAnswer) {
  History h;
  h.bring_up(base);
  h.lease_base(1);
  h.step(event::MemorySampled{100_MiB, {}}, {h.record(DecisionKind::nothing_evictable)});
  for (int i = 0; i < 3; ++i) h.step(event::MemorySampled{100_MiB, {}}, {h.timer()});
  EXPECT_EQ(h.broken(), "") << h.why();
}

TEST(Checker, I7FindsAFourthLoadThatNobodyAskedFor) {
  History h;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(h.broken(), "") << h.why();
    h.bring_up(base);
    h.step(event::TimerFired{}, {action::CloseGate{base}});
    const action::StartUnload unload = h.unload(base);
    h.step(event::GateClosed{base}, {unload});
    h.step(event::UnloadFinished{unload.work});
  }
  EXPECT_EQ(h.broken(), "I7") << h.why();
}

TEST(Checker, ACopyForgetsWhatCameAfterIt) {
  History h;
  h.bring_up(base);
  const Checker before = h.checker;
  h.step(event::TimerFired{}, {h.unload(base)});
  EXPECT_TRUE(h.checker.violation().has_value());
  EXPECT_FALSE(before.violation().has_value());
}

}  // namespace
}  // namespace hearth::sim

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include "runtime/daemon_testing.h"
#include "runtime/journal.h"

namespace hearth {
namespace {

using testing::DaemonTest;

TEST_F(DaemonTest, ACommandLoadsWhatItNeedsAndIsAnsweredWithItsEndpoint) {
  begin();
  const Answer answer = command("please ocr this");
  ASSERT_TRUE(answer.reply.is_granted) << answer.detail;
  ASSERT_EQ(answer.reply.components.size(), 1U);
  EXPECT_TRUE(answer.reply.components[0].is_cold);
  EXPECT_EQ(answer.endpoints, std::vector<std::string>{"http://fake/ocr"});
  EXPECT_EQ(answer.intents.size(), 1U);
  EXPECT_TRUE(world_->is_running("ocr"));
}

TEST_F(DaemonTest, ACommandThatWantsNoLeaseIsGivenNoneColdOrWarm) {
  begin();
  for (const bool was_warm : {false, true}) {
    const Answer answer = answer_to([&](AnswerCallback callback) {
      daemon_->command({.text = "ocr", .lease = Duration{0}}, std::move(callback));
    });
    ASSERT_TRUE(answer.reply.is_granted);
    EXPECT_EQ(answer.reply.components[0].is_cold, !was_warm);
    EXPECT_FALSE(answer.reply.lease);
  }
  EXPECT_EQ(row("ocr").view.leases, 0U);
}

TEST_F(DaemonTest, AWarmCommandIsAnsweredWithinTheCall) {
  begin();
  (void)command("ocr");
  std::thread::id answered_on;
  Answer warm;
  daemon_->command({.text = "ocr"}, [&](Answer answer) {
    answered_on = std::this_thread::get_id();
    warm = std::move(answer);
  });
  EXPECT_EQ(answered_on, std::this_thread::get_id());
  ASSERT_TRUE(warm.reply.is_granted);
  EXPECT_FALSE(warm.reply.components[0].is_cold);
  EXPECT_EQ(warm.endpoints[0], "http://fake/ocr");
  const ComponentRow seen = row("ocr");
  EXPECT_EQ(seen.view.leases, 2U);
  EXPECT_TRUE(release(warm.reply.lease).reply.is_granted);
  EXPECT_EQ(row("ocr").view.leases, 1U);
}

TEST_F(DaemonTest, ACommandThatNeedsNothingGetsNothing) {
  begin();
  const Answer answer = command("hello");
  EXPECT_TRUE(answer.reply.is_granted);
  EXPECT_TRUE(answer.reply.components.empty());
}

TEST_F(DaemonTest, ACommandThatDoesNotWaitIsAcceptedBeforeTheLoadIsDone) {
  world_->hold("ocr");
  begin();
  const Answer answer = command("ocr", false);
  EXPECT_TRUE(answer.reply.is_accepted);
  EXPECT_FALSE(answer.reply.components[0].is_ready);
  world_->let_go("ocr");
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::ready); });
}

TEST_F(DaemonTest, NeedsComeWithWhatNeedsThem) {
  spec("asr").needs = {"ocr"};
  begin();
  const Answer answer = command("asr");
  EXPECT_EQ(answer.reply.components.size(), 2U);
  EXPECT_TRUE(world_->is_running("ocr"));
  const Answer warm = command("asr");
  EXPECT_EQ(warm.reply.components.size(), 2U);
  EXPECT_EQ(row("asr").view.leases, 2U);
  EXPECT_EQ(unload("ocr").reply.code, Errc::conflict);
}

TEST_F(DaemonTest, AFailedLoadIsRefusedWithItsCause) {
  world_->fail("ocr", "ocr: cannot start `tesserac`");
  begin();
  const Answer answer = command("ocr");
  EXPECT_FALSE(answer.reply.is_granted);
  EXPECT_EQ(answer.reply.reason, Reason::load_failed);
  EXPECT_NE(answer.detail.find("cannot start `tesserac`"), std::string::npos) << answer.detail;
  EXPECT_EQ(row("ocr").last_error, "ocr: cannot start `tesserac`");
  EXPECT_EQ(world_->load_count("ocr"), 2);
}

TEST_F(DaemonTest, AKindWithoutADriverIsRefusedByName) {
  config_.launches[0].kind = "plugin";
  begin();
  const Answer answer = command("ocr");
  EXPECT_FALSE(answer.reply.is_granted);
  EXPECT_NE(answer.detail.find("no driver for `kind: plugin`"), std::string::npos) << answer.detail;
}

TEST_F(DaemonTest, WhatIsLeasedIsNotUnloadedAndWhatIsReleasedIs) {
  begin();
  const Answer held = lease("ocr");
  ASSERT_TRUE(held.reply.is_granted);
  const Answer again = lease("ocr");
  ASSERT_TRUE(again.reply.is_granted);
  EXPECT_EQ(unload("ocr").reply.code, Errc::conflict);
  EXPECT_TRUE(release(held.reply.lease).reply.is_granted);
  EXPECT_EQ(unload("ocr").reply.code, Errc::conflict);
  EXPECT_TRUE(release(again.reply.lease).reply.is_granted);
  EXPECT_TRUE(unload("ocr").reply.is_granted);
  EXPECT_FALSE(world_->is_running("ocr"));
}

TEST_F(DaemonTest, AnUnknownLeaseIsNotFound) {
  begin();
  EXPECT_EQ(release(LeaseId{4711}).reply.code, Errc::not_found);
}

TEST_F(DaemonTest, AnAbandonedCommandGetsNoCallAndLeavesNoLease) {
  world_->hold("ocr");
  begin();
  std::atomic<int> calls{0};
  const RequestId request = daemon_->command({.text = "ocr"}, [&](Answer) { ++calls; });
  world_->wait_for_load("ocr", 1);
  daemon_->abandon(request);
  world_->let_go("ocr");
  until([](const DaemonStatus& s) { return s.waiting == 0; });
  EXPECT_EQ(calls.load(), 0);
  EXPECT_TRUE(status().leases.empty());
}

TEST_F(DaemonTest, AnAnswerThatNobodyTookGivesItsLeaseBack) {
  begin();
  (void)release(lease("ocr").reply.lease);
  RequestId request;
  request = daemon_->lease({.components = {id("ocr")}, .owner = "me"}, [](Answer) {});
  daemon_->abandon(request);
  EXPECT_EQ(row("ocr").view.leases, 0U);
}

TEST_F(DaemonTest, AnExitIsNoticedToldAndLoadedAgainOnDemand) {
  begin();
  const Answer held = lease("ocr");
  (void)release(held.reply.lease);
  world_->end("ocr");
  until([](const DaemonStatus& s) { return s.totals.exits == 1; });
  EXPECT_EQ(row("ocr").last_error, "ocr: ended by the test");
  EXPECT_TRUE(command("ocr").reply.is_granted);
  EXPECT_EQ(world_->load_count("ocr"), 2);
}

TEST_F(DaemonTest, FastLeasesOnWhatExitedAreEndedAndTheGateStaysSound) {
  begin();
  const Answer first = lease("ocr");
  const Answer fast = lease("ocr");
  EXPECT_NE(fast.reply.lease.value >> 63, 0U);
  world_->end("ocr");
  until([](const DaemonStatus& s) { return s.totals.exits == 1; });
  EXPECT_EQ(release(fast.reply.lease).reply.code, Errc::not_found);
  ASSERT_TRUE(lease("ocr").reply.is_granted);
  EXPECT_EQ(row("ocr").view.leases, 1U);
}

TEST_F(DaemonTest, CoreComponentsAreLoadedAtStartAndMakeItReady) {
  spec("tts").priority = Priority::core;
  world_->hold("tts");
  begin();
  world_->wait_for_load("tts", 1);
  EXPECT_FALSE(daemon_->is_ready());
  world_->let_go("tts");
  until([](const DaemonStatus& s) { return is_in(s, "tts", State::ready); });
  until([this](const DaemonStatus&) { return daemon_->is_ready(); });
}

TEST_F(DaemonTest, IsReadyWithoutCoreComponents) {
  begin();
  until([this](const DaemonStatus&) { return daemon_->is_ready(); });
}

TEST_F(DaemonTest, AShutdownUnloadsEverythingAndAnswersWhoWaits) {
  world_->hold("asr");
  begin();
  (void)command("ocr");
  std::promise<Answer> waiting;
  daemon_->command({.text = "asr"}, [&](Answer answer) { waiting.set_value(std::move(answer)); });
  world_->wait_for_load("asr", 1);
  stop();
  EXPECT_FALSE(waiting.get_future().get().reply.is_granted);
  EXPECT_FALSE(world_->is_running("ocr"));
  EXPECT_EQ(command("ocr").reply.code, Errc::unavailable);
}

TEST_F(DaemonTest, ASecondDaemonOnTheSameStateIsRefusedAndNamesTheFirst) {
  begin();
  const auto second = make();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
}

TEST_F(DaemonTest, AReloadBringsNewComponentsAndTakesOldOnesAway) {
  begin();
  (void)release(lease("ocr").reply.lease);
  declare("vision");
  std::erase_if(config_.launches, [](const Launch& one) { return one.name == "ocr"; });
  std::erase_if(config_.core.components, [](const Spec& one) { return one.name == "ocr"; });
  ASSERT_TRUE(reload());
  EXPECT_FALSE(daemon_->names()->find("ocr"));
  world_->wait_until_gone("ocr");
  EXPECT_TRUE(command("vision").reply.is_granted);
}

TEST_F(DaemonTest, AnInvalidReloadChangesNothing) {
  begin();
  reload_error_ = "hearth.yaml:1:1: error\nhearth.yaml:2:1: another";
  const Result<> result = reload();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail, reload_error_);
  const std::string said = log();
  EXPECT_NE(said.find("1:1: error; hearth.yaml:2:1: another"), std::string::npos) << said;
  EXPECT_EQ(said.find("hearth.yaml:1:1"), said.rfind("hearth.yaml:1:1")) << said;
  EXPECT_TRUE(command("ocr").reply.is_granted);
}

TEST_F(DaemonTest, SubscribersGetWhatIsKeptAndThenWhatComes) {
  begin();
  (void)command("ocr");
  std::promise<void> seen;
  std::atomic<std::uint64_t> last{0};
  daemon_->subscribe(0, [&](const StreamItem& item, bool lost) {
    EXPECT_FALSE(lost);
    EXPECT_GE(item.sequence, last.load());
    last = item.sequence;
    const bool is_asr = item.decision.kind == DecisionKind::load_done &&
                        item.decision.has_component && item.decision.component == ComponentId{1};
    if (is_asr) seen.set_value();
    return !is_asr;
  });
  (void)command("asr");
  seen.get_future().wait();
}

TEST_F(DaemonTest, OnlyTheLastItemOfASequenceSaysThatAllOfItWasSeen) {
  begin();
  (void)command("ocr");
  stop();
  std::vector<StreamItem> items;
  begin(true);
  std::promise<void> seen;
  daemon_->subscribe(0, [&](const StreamItem& item, bool) {
    items.push_back(item);
    const bool is_over = item.decision.kind == DecisionKind::granted;
    if (is_over) seen.set_value();
    return !is_over;
  });
  (void)command("asr");
  seen.get_future().wait();
  std::size_t shared = 0;
  for (std::size_t i = 0; i + 1 < items.size(); ++i) {
    const bool is_shared = items[i].sequence == items[i + 1].sequence;
    shared += is_shared ? 1 : 0;
    EXPECT_EQ(items[i].is_last, !is_shared) << i;
  }
  EXPECT_GT(shared, 0U);
}

TEST_F(DaemonTest, RowsThatTheHistoryDidNotTakeAreGivenToItAgainInTheirOrder) {
  idle_sample_period_ = 20ms;
  rows_->fail(1);
  begin();
  (void)command("ocr");
  until([this](const DaemonStatus&) {
    return std::ranges::any_of(rows_->all(),
                               [](const HistoryEntry& one) { return one.kind == "load"; });
  });
  stop();
  const auto rows = rows_->all();
  EXPECT_TRUE(std::ranges::is_sorted(rows, {}, &HistoryEntry::sequence));
  EXPECT_EQ(std::ranges::count(rows, "command", &HistoryEntry::kind), 1);
  EXPECT_NE(rows.front().detail.find("configured"), std::string::npos) << rows.front().detail;
  EXPECT_NE(log().find("the test's disk is full"), std::string::npos);
}

TEST_F(DaemonTest, TheHistoryIsPrunedEverySoOftenAndAfterAReloadWithTheNewLimits) {
  config_.history_days = 30;
  begin();
  until([this](const DaemonStatus&) { return rows_->pruned() == std::vector{30U}; });
  config_.history_days = 7;
  ASSERT_TRUE(reload());
  until([this](const DaemonStatus&) { return rows_->pruned() == std::vector{30U, 7U}; });
  prune_period_ = 1ms;
  idle_sample_period_ = 20ms;
  begin();
  until([this](const DaemonStatus&) { return rows_->pruned().size() > 5; });
}

TEST_F(DaemonTest, DoorsThatDoNotOpenEndTheStartBeforeAnythingIsLoaded) {
  spec("tts").priority = Priority::core;
  open_doors_ = [](Daemon&) -> Result<> { return fail(Errc::io, "127.0.0.1:7411 is taken"); };
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().detail, "127.0.0.1:7411 is taken");
  EXPECT_EQ(world_->load_count("tts"), 0);
  EXPECT_EQ(log().find("tts"), std::string::npos) << log();
  open_doors_ = {};
  begin();
  world_->wait_for_load("tts", 1);
}

TEST_F(DaemonTest, DecisionsAreLoggedAndKeptAsHistory) {
  begin();
  const Answer answer = command("ocr");
  (void)answer_to([&](AnswerCallback callback) {
    daemon_->used(answer.reply.command, {id("ocr")}, std::move(callback));
  });
  stop();
  EXPECT_NE(log().find("ocr"), std::string::npos);
  const MutexLock lock{rows_->mutex};
  std::set<std::string> kinds;
  for (const HistoryEntry& one : rows_->entries) kinds.insert(one.kind);
  for (const char* kind : {"command", "load", "use"}) EXPECT_TRUE(kinds.contains(kind)) << kind;
  EXPECT_TRUE(std::ranges::all_of(rows_->entries,
                                  [](const HistoryEntry& one) { return one.text.empty(); }));
  EXPECT_TRUE(std::ranges::any_of(rows_->entries,
                                  [](const HistoryEntry& one) { return !one.features.empty(); }));
}

TEST_F(DaemonTest, AJournalThatCannotBeWrittenStopsNewLoadsButNotUnloads) {
  begin();
  (void)release(lease("ocr").reply.lease);
  // The directory goes away under the daemon, as on a disk that was pulled.
  const std::string moved = directory_ + "/moved";
  (void)status();
  daemon_.reset();
  snapshot_events_ = 1;  // every event begins a file, which then cannot be made
  begin(true);
  (void)release(lease("ocr").reply.lease);
  std::filesystem::rename(config_.state_dir, moved);
  Answer refused;
  do {
    refused = lease("asr");
    if (refused.reply.is_granted) (void)release(refused.reply.lease);
    if (refused.reply.is_granted) (void)unload("asr");
  } while (refused.reply.is_granted);
  // What was taken just before the file could not be made fails as a load does.
  EXPECT_TRUE(refused.reply.code == Errc::io || refused.reply.code == Errc::failed)
      << refused.detail;
  EXPECT_FALSE(status().troubles.empty());
  EXPECT_TRUE(unload("ocr").reply.is_granted);
  std::filesystem::rename(moved, config_.state_dir);
  while (!lease("asr").reply.is_granted) std::this_thread::yield();
}

TEST_F(DaemonTest, WhileTheJournalIsNotWrittenACrashIsNotLoadedAgainAndPressureStillEvicts) {
  begin();
  (void)release(lease("asr").reply.lease);
  const Answer held = lease("ocr");
  daemon_.reset();
  snapshot_events_ = 1;  // every event begins a file, which then cannot be made
  begin(true);
  const std::string moved = directory_ + "/moved";
  std::filesystem::rename(config_.state_dir, moved);
  // What fails is the first append behind a snapshot.
  until([](const DaemonStatus& s) {
    return std::ranges::any_of(s.troubles, [](const std::string& text) {
      return text.find("nothing new is loaded") != std::string::npos;
    });
  });
  world_->end("ocr");
  until([](const DaemonStatus& s) {
    return std::ranges::find(s.components, "ocr", &ComponentRow::name)
               ->last_error.find("the journal cannot be written") != std::string::npos;
  });
  EXPECT_EQ(world_->load_count("ocr"), 1);
  world_->set_available(1_MiB);
  world_->wait_until_gone("asr");
  world_->set_available(64_GiB);
  std::filesystem::rename(moved, config_.state_dir);
  while (!lease("ocr").reply.is_granted) std::this_thread::yield();
  EXPECT_EQ(world_->load_count("ocr"), 2);
}

TEST_F(DaemonTest, AStrangerWithoutRoomIsTriedAgainAndSaidOnce) {
  spec("ocr").memory = 2_GiB;
  begin();
  for (const bool is_new : {true, false, false}) world_->appear({.name = "ocr", .is_new = is_new});
  const auto lines = [&](const std::string& level) {
    const std::string text = log();
    const std::string line = level + " ocr: was loaded past hearth";
    int count = 0;
    for (std::size_t at = 0; (at = text.find(line, at)) != text.npos; ++at) ++count;
    return count;
  };
  until([&](const DaemonStatus&) { return lines("debug") == 2; });
  EXPECT_EQ(lines("info "), 1);
  EXPECT_FALSE(world_->is_running("ocr"));
  world_->appear({.name = "asr"});
  until([](const DaemonStatus& s) { return is_in(s, "asr", State::ready); });
}

TEST_F(DaemonTest, ManyClientsAtOnceAreEachAnsweredOnce) {
  config_.core.settings.idle_limits = {1ms, 1ms, 1ms};
  config_.core.settings.idle_from = Pressure::low;
  begin();
  constexpr int threads = 4;
  constexpr int rounds = 200;
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < threads; ++t) {
    clients.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        const char* names[] = {"ocr", "asr", "tts"};
        const Answer answer = lease(names[(t + i) % 3]);
        if (!answer.reply.is_granted) continue;
        ++answered;
        (void)release(answer.reply.lease);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered.load(), threads * rounds);
  until([](const DaemonStatus& s) { return s.leases.empty(); });
}

}  // namespace
}  // namespace hearth

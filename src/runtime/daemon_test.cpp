#include "runtime/daemon.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "runtime/fake_driver.h"
#include "runtime/journal.h"

namespace hearth {
namespace {

using testing::FakeDriver;
using testing::FakeMachine;
using testing::World;

// The words of a command are names: each is demanded. "likely-NAME" is a preload.
class WordClassifier : public Classifier {
 public:
  explicit WordClassifier(const std::vector<Launch>& launches, const Names& names) {
    for (const Launch& launch : launches) ids_[launch.name] = *names.find(launch.name);
  }
  [[nodiscard]] std::vector<Intent> classify(std::string_view text) const override {
    std::vector<Intent> intents;
    for (const auto& [name, id] : ids_) {
      const std::size_t at = text.find(name);
      if (at == text.npos) continue;
      const bool is_likely = at >= 7 && text.substr(at - 7, 7) == "likely-";
      intents.push_back({id, is_likely ? 0.3 : 0.9});
    }
    std::ranges::sort(intents, {}, &Intent::component);
    return intents;
  }

 private:
  std::map<std::string, ComponentId> ids_;
};

class RecordingHistory : public History {
 public:
  struct Rows {
    Mutex mutex;
    std::vector<HistoryEntry> entries HEARTH_GUARDED_BY(mutex);
    std::vector<event::Learnt> learnt HEARTH_GUARDED_BY(mutex);
  };
  explicit RecordingHistory(std::shared_ptr<Rows> rows) : rows_(std::move(rows)) {}
  [[nodiscard]] Result<> apply(const std::vector<HistoryEntry>& entries) override {
    const std::uint64_t last = last_sequence();
    const MutexLock lock{rows_->mutex};
    for (const HistoryEntry& entry : entries) {
      if (entry.sequence > last) rows_->entries.push_back(entry);
    }
    return {};
  }
  [[nodiscard]] std::uint64_t last_sequence() const override {
    const MutexLock lock{rows_->mutex};
    return rows_->entries.empty() ? 0 : rows_->entries.back().sequence;
  }
  [[nodiscard]] Result<std::vector<HistoryEntry>> last(std::size_t, std::string_view) override {
    const MutexLock lock{rows_->mutex};
    return rows_->entries;
  }
  [[nodiscard]] Result<> save_learnt(const std::vector<event::Learnt>& learnt) override {
    const MutexLock lock{rows_->mutex};
    rows_->learnt = learnt;
    return {};
  }
  [[nodiscard]] Result<std::vector<event::Learnt>> load_learnt() override {
    const MutexLock lock{rows_->mutex};
    return rows_->learnt;
  }
  [[nodiscard]] Result<> prune(std::int64_t, unsigned, Bytes) override { return {}; }

 private:
  std::shared_ptr<Rows> rows_;
};

class DaemonTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-daemon-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    config_.state_dir = directory_ + "/state";
    config_.budget = 1_GiB;
    config_.core.settings.budget = Bytes{};
    config_.core.settings.unknown_memory = 100_MiB;
    config_.core.settings.retry_delay = 1ms;
    config_.core.settings.load_attempts_max = 2;
    config_.core.settings.drain_time_max = 1ms;
    for (const char* name : {"ocr", "asr", "tts"}) declare(name);
  }
  void TearDown() override {
    daemon_.reset();
    std::filesystem::remove_all(directory_);
  }

  Spec& declare(const std::string& name) {
    config_.launches.push_back({.name = name, .argv = {"/bin/true"}});
    config_.core.components.push_back({.name = name});
    return config_.core.components.back();
  }
  Spec& spec(const std::string& name) {
    return *std::ranges::find(config_.core.components, name, &Spec::name);
  }

  Result<std::unique_ptr<Daemon>> make(bool is_adopting = false) {
    DaemonOptions options;
    options.config = config_;
    options.load_config = [this]() -> Result<Config> {
      if (reload_error_.empty()) return config_;
      return fail(Errc::invalid, reload_error_);
    };
    options.drivers.push_back(std::make_unique<FakeDriver>(world_, is_adopting));
    options.history = std::make_unique<RecordingHistory>(rows_);
    options.machine = std::make_unique<FakeMachine>(world_);
    options.make_classifier = [](const std::vector<Launch>& launches, const Names& names) {
      return std::make_shared<WordClassifier>(launches, names);
    };
    options.log = std::make_shared<Log>(LogLevel::debug, false, [this](std::string_view line) {
      const MutexLock lock{log_mutex_};
      log_ += line;
    });
    options.snapshot_events = snapshot_events_;
    options.sample_period = 20ms;
    return Daemon::start(std::move(options));
  }
  void begin(bool is_adopting = false) {
    daemon_.reset();
    auto made = make(is_adopting);
    ASSERT_TRUE(made) << made.error().detail;
    daemon_ = std::move(*made);
  }
  std::string log() {
    const MutexLock lock{log_mutex_};
    return log_;
  }

  template <class Ask>
  Answer answer_to(const Ask& ask) {
    auto answered = std::make_shared<std::promise<Answer>>();
    auto future = answered->get_future();
    ask([answered](Answer answer) { answered->set_value(std::move(answer)); });
    return future.get();
  }
  Answer command(const std::string& text, bool waits = true) {
    return answer_to([&](AnswerCallback callback) {
      daemon_->command({.text = text, .waits = waits}, std::move(callback));
    });
  }
  Answer lease(const std::string& name) {
    return answer_to([&](AnswerCallback callback) {
      daemon_->lease({.components = {id(name)}, .owner = "me"}, std::move(callback));
    });
  }
  Answer release(LeaseId lease) {
    return answer_to(
        [&](AnswerCallback callback) { daemon_->release(lease, std::move(callback)); });
  }
  Answer unload(const std::string& name) {
    return answer_to(
        [&](AnswerCallback callback) { daemon_->unload({id(name)}, std::move(callback)); });
  }
  ComponentId id(const std::string& name) { return *daemon_->names()->find(name); }
  DaemonStatus status() {
    auto told = std::make_shared<std::promise<DaemonStatus>>();
    auto future = told->get_future();
    daemon_->status([told](DaemonStatus status) { told->set_value(std::move(status)); });
    return future.get();
  }
  ComponentRow row(const std::string& name) {
    const DaemonStatus now = status();
    return *std::ranges::find(now.components, name, &ComponentRow::name);
  }
  void stop() {
    daemon_->shutdown();
    daemon_->wait();
  }
  // Asks until a claim about the status holds; the test's own time limit ends it otherwise.
  template <class Claim>
  void until(const Claim& claim) {
    while (!claim(status())) std::this_thread::yield();
  }
  static bool is_in(const DaemonStatus& status, const std::string& name, State state) {
    return std::ranges::find(status.components, name, &ComponentRow::name)->view.state == state;
  }

  std::string directory_;
  Config config_;
  std::string reload_error_;
  std::uint64_t snapshot_events_ = 4096;
  std::shared_ptr<World> world_ = std::make_shared<World>();
  std::shared_ptr<RecordingHistory::Rows> rows_ = std::make_shared<RecordingHistory::Rows>();
  Mutex log_mutex_;
  std::string log_ HEARTH_GUARDED_BY(log_mutex_);
  std::unique_ptr<Daemon> daemon_;
};

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

TEST_F(DaemonTest, WhatWasLearntAndCountedOutlivesACrash) {
  world_->set_size("ocr", 77_MiB);
  begin();
  (void)command("ocr");
  until([](const DaemonStatus& s) { return is_in(s, "ocr", State::ready); });
  begin();  // the one before was not shut down
  const ComponentRow seen = row("ocr");
  EXPECT_EQ(seen.view.peak, 77_MiB);
  EXPECT_EQ(seen.view.state, State::unloaded);
  EXPECT_EQ(status().totals.commands, 1U);
}

TEST_F(DaemonTest, WhatWasLearntOutlivesAStateThatWasLost) {
  world_->set_size("ocr", 77_MiB);
  begin();
  (void)command("ocr");
  stop();
  daemon_.reset();
  std::filesystem::remove(config_.state_dir + "/snapshot");
  begin();
  EXPECT_EQ(row("ocr").view.peak, 77_MiB);
}

TEST_F(DaemonTest, ALeaseOutlivesACrashTogetherWithWhatItHolds) {
  begin();
  const Answer held = lease("ocr");
  const Answer fast = lease("ocr");
  begin(true);
  const ComponentRow seen = row("ocr");
  EXPECT_EQ(seen.view.state, State::ready);
  EXPECT_EQ(seen.view.leases, 2U);
  EXPECT_EQ(seen.endpoint, "http://fake/ocr");
  EXPECT_EQ(unload("ocr").reply.code, Errc::conflict);
  EXPECT_TRUE(release(held.reply.lease).reply.is_granted);
  EXPECT_TRUE(release(fast.reply.lease).reply.is_granted);
  EXPECT_TRUE(unload("ocr").reply.is_granted);
}

TEST_F(DaemonTest, NewIdsNeverRepeatOldOnesAfterACrash) {
  begin();
  const Answer before = command("ocr");
  const Answer fast = command("ocr");
  begin(true);
  const Answer after = command("ocr");
  EXPECT_GT(after.reply.command, fast.reply.command);
  EXPECT_GT(after.reply.lease, fast.reply.lease);
  EXPECT_NE(before.reply.lease, after.reply.lease);
}

TEST_F(DaemonTest, SnapshotsAreTakenAndOldFilesForgotten) {
  snapshot_events_ = 50;
  begin();
  for (int i = 0; i < 200; ++i) (void)release(lease("ocr").reply.lease);
  begin();
  EXPECT_EQ(row("ocr").view.uses, 200U);
  stop();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{config_.state_dir}) {
    files += entry.path().filename().string().starts_with("journal-") ? 1 : 0;
  }
  EXPECT_LE(files, 2U);
  EXPECT_TRUE(std::filesystem::exists(config_.state_dir + "/snapshot"));
}

TEST_F(DaemonTest, AnEventThatEndedTwoReplaysIsKeptAsideAndTheDaemonStartsCold) {
  begin();
  (void)command("ocr");
  daemon_.reset();
  const Recovered recovered = Journal::recover(config_.state_dir);
  ASSERT_FALSE(recovered.tail.empty());
  for (int process = 0; process < 2; ++process) {
    ReplayMark{config_.state_dir}.begin(recovered.tail.back().sequence);
  }
  begin();
  EXPECT_EQ(status().totals.commands, 0U);
  ASSERT_EQ(status().troubles.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(config_.state_dir + "/skipped-" +
                                      std::to_string(recovered.tail.back().sequence) + ".event"));
  EXPECT_TRUE(command("ocr").reply.is_granted);
}

TEST_F(DaemonTest, AReloadBringsNewComponentsAndTakesOldOnesAway) {
  begin();
  (void)release(lease("ocr").reply.lease);
  declare("vision");
  std::erase_if(config_.launches, [](const Launch& one) { return one.name == "ocr"; });
  std::erase_if(config_.core.components, [](const Spec& one) { return one.name == "ocr"; });
  auto reloaded = std::make_shared<std::promise<Result<>>>();
  daemon_->reload([reloaded](Result<> result) { reloaded->set_value(result); });
  ASSERT_TRUE(reloaded->get_future().get());
  EXPECT_FALSE(daemon_->names()->find("ocr"));
  world_->wait_until_gone("ocr");
  EXPECT_TRUE(command("vision").reply.is_granted);
}

TEST_F(DaemonTest, AnInvalidReloadChangesNothing) {
  begin();
  reload_error_ = "hearth.yaml:1:1: error";
  auto reloaded = std::make_shared<std::promise<Result<>>>();
  daemon_->reload([reloaded](Result<> result) { reloaded->set_value(result); });
  const Result<> result = reloaded->get_future().get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail, reload_error_);
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
  EXPECT_EQ(refused.reply.code, Errc::io) << refused.detail;
  EXPECT_FALSE(status().troubles.empty());
  EXPECT_TRUE(unload("ocr").reply.is_granted);
  std::filesystem::rename(moved, config_.state_dir);
  while (!lease("asr").reply.is_granted) std::this_thread::yield();
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

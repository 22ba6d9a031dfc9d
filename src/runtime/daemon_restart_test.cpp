// What a daemon takes up of the one before it: after a stop, a kill, a damage or an upgrade.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "base/archive.h"
#include "base/hash.h"
#include "runtime/daemon_testing.h"
#include "runtime/journal.h"

namespace hearth {
namespace {

using testing::DaemonTest;

class Restart : public DaemonTest {
 protected:
  void lose_the_state() {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{config_.state_dir, error}) {
      const std::string name = entry.path().filename().string();
      if (name == "snapshot" || name.starts_with("journal-")) std::filesystem::remove(entry);
    }
  }
  std::ptrdiff_t count(DecisionKind kind) {
    return std::ranges::count(status().decisions, kind, &Decision::kind);
  }
};

// As journal.cpp lays it out.
struct Header {
  std::string magic;
  std::uint32_t events = 0;
  std::uint32_t engine = 0;
  std::uint64_t first_sequence = 0;
  bool is_first = false;
  std::uint64_t check = 0;
  template <class A>
  void fields(A& a) {
    a(magic, events, engine, first_sequence, is_first, check);
  }
};

void make_of_another_engine(const std::string& snapshot) {
  const auto bytes = read_bytes(snapshot);
  ASSERT_TRUE(bytes);
  Reader reader{*bytes};
  Header header;
  reader(header);
  ASSERT_TRUE(reader.ok());
  ++header.engine;
  header.check = fnv1a(header.magic) ^ (header.events * 0x9e3779b97f4a7c15U) ^
                 (header.engine * 0xc2b2ae3d27d4eb4fU) ^ (header.first_sequence * 2);
  Writer writer;
  writer(header);
  std::vector<std::byte> changed{writer.bytes().begin(), writer.bytes().end()};
  const auto rest = std::span{*bytes}.last(reader.remaining());
  changed.insert(changed.end(), rest.begin(), rest.end());
  ASSERT_TRUE(write_file(snapshot, changed));
}

TEST_F(Restart, WhatWasLearntAndCountedOutlivesACrash) {
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

TEST_F(Restart, WhatWasLearntOutlivesAStateThatWasLost) {
  world_->set_size("ocr", 77_MiB);
  begin();
  (void)command("ocr");
  stop();
  daemon_.reset();
  std::filesystem::remove(config_.state_dir + "/snapshot");
  begin();
  EXPECT_EQ(row("ocr").view.peak, 77_MiB);
}

TEST_F(Restart, ALeaseOutlivesACrashTogetherWithWhatItHolds) {
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

TEST_F(Restart, NewIdsNeverRepeatOldOnesAfterACrash) {
  begin();
  const Answer before = command("ocr");
  const Answer fast = command("ocr");
  begin(true);
  const Answer after = command("ocr");
  EXPECT_GT(after.reply.command, fast.reply.command);
  EXPECT_GT(after.reply.lease, fast.reply.lease);
  EXPECT_NE(before.reply.lease, after.reply.lease);
  // The others asked through the core, whose numbers go on without a gap.
  const Answer cold = command("asr");
  EXPECT_GT(cold.reply.request, before.reply.request);
  EXPECT_LT(cold.reply.request.value, before.reply.request.value + 10);
}

TEST_F(Restart, SnapshotsAreTakenAndOldFilesForgotten) {
  snapshot_events_ = 50;
  begin();
  for (int i = 0; i < 200; ++i) (void)release(lease("ocr").reply.lease);
  begin();
  EXPECT_GE(status().totals.steps, 400U);
  stop();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{config_.state_dir}) {
    files += entry.path().filename().string().starts_with("journal-") ? 1 : 0;
  }
  EXPECT_LE(files, 2U);
  EXPECT_TRUE(std::filesystem::exists(config_.state_dir + "/snapshot"));
}

TEST_F(Restart, AnEventThatEndedTwoReplaysIsKeptAsideAndTheDaemonStartsCold) {
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

TEST_F(Restart, APinBehindAGapInTheNumbersIsNotLostByAKill) {
  begin();
  (void)command("ocr");
  daemon_.reset();
  rows_->add(5000);  // the history has seen what the journal has lost
  rows_->hold(true);
  begin();
  EXPECT_TRUE(pin("asr").reply.is_granted);
  kill_now();
  begin();
  EXPECT_TRUE(row("asr").view.is_pinned);
  EXPECT_TRUE(status().troubles.empty()) << status().troubles.front();
}

TEST_F(Restart, RowsOfARestoredDaemonComeAfterThoseThatTheHistoryHas) {
  begin();
  (void)command("ocr");
  stop();
  rows_->add(5000);
  begin();
  (void)command("asr");
  stop();
  const auto rows = rows_->all();
  EXPECT_EQ(std::ranges::count(rows, "command", &HistoryEntry::kind), 2);
  EXPECT_GT(rows.back().sequence, 5000U);
}

TEST_F(Restart, AGapThatCannotBeClosedIsAJournalThatFailsUntilItCan) {
  begin();
  (void)command("ocr");
  daemon_.reset();
  rows_->add(5000);
  idle_sample_period_ = 20ms;
  std::filesystem::create_directory(config_.state_dir + "/snapshot.tmp");  // instead of a file
  begin();
  EXPECT_EQ(lease("asr").reply.code, Errc::io);
  EXPECT_FALSE(status().troubles.empty());
  std::filesystem::remove(config_.state_dir + "/snapshot.tmp");
  while (!lease("asr").reply.is_granted) std::this_thread::yield();
}

TEST_F(Restart, AColdStartLoadsAndCountsEachComponentOnce) {
  spec("tts").priority = Priority::core;
  spec("asr").is_lazy = false;
  begin();
  until([](const DaemonStatus& s) {
    return is_in(s, "tts", State::ready) && is_in(s, "asr", State::ready);
  });
  EXPECT_EQ(status().totals.loads, 2U);
  EXPECT_EQ(count(DecisionKind::load_started), 2);
  EXPECT_EQ(count(DecisionKind::configured), 2) << "once without loads";
}

TEST_F(Restart, AColdStartJudgesMemoryByTheLimitsOfTheConfiguration) {
  config_.is_pressure_scaled = false;
  config_.core.settings.pressure.below = {40_MiB, 30_MiB, 20_MiB, 10_MiB};
  world_->set_available(300_MiB);  // an emergency by the limits that stand without a configuration
  begin();
  EXPECT_EQ(status().pressure, Pressure::low);
  EXPECT_EQ(count(DecisionKind::pressure_changed), 0);
}

TEST_F(Restart, AColdStartTakesUpWhatStillRunsAndWhatWasLearnt) {
  spec("tts").priority = Priority::core;
  spec("asr").is_lazy = false;
  world_->set_size("tts", 77_MiB);
  begin();
  until([](const DaemonStatus& s) {
    return is_in(s, "tts", State::ready) && is_in(s, "asr", State::ready);
  });
  daemon_.reset();
  lose_the_state();
  world_->set_size("tts", 1_MiB);
  {
    const MutexLock lock{rows_->mutex};
    rows_->learnt = {{.name = "tts", .lives = {77_MiB}}};
  }
  begin(true);
  until([](const DaemonStatus& s) { return is_in(s, "tts", State::ready); });
  EXPECT_EQ(row("tts").view.peak, 77_MiB);
  EXPECT_EQ(row("tts").view.priority, Priority::core);
  EXPECT_EQ(world_->load_count("tts"), 1);
  EXPECT_EQ(world_->load_count("asr"), 1);
  EXPECT_EQ(status().totals.loads, 0U);
}

TEST_F(Restart, ASnapshotOfAnotherEngineGivesItsPinsItsFiguresAndItsNumbers) {
  world_->set_size("ocr", 77_MiB);
  begin();
  EXPECT_TRUE(pin("ocr").reply.is_granted);
  const Answer before = command("ocr");
  ASSERT_TRUE(before.reply.is_granted);
  stop();
  const std::uint64_t sequence = rows_->all().back().sequence;
  daemon_.reset();
  {
    const MutexLock lock{rows_->mutex};
    rows_->learnt.clear();
    rows_->entries.clear();
  }
  make_of_another_engine(config_.state_dir + "/snapshot");
  world_->hold("ocr");
  begin();
  EXPECT_TRUE(row("ocr").view.is_pinned);
  EXPECT_EQ(row("ocr").view.peak, 77_MiB);
  EXPECT_FALSE(row("asr").view.is_pinned);
  EXPECT_GT(status().journal_sequence, sequence);
  EXPECT_NE(status().troubles.at(0).find("another version"), std::string::npos);
  world_->let_go("ocr");
  EXPECT_GT(command("ocr").reply.command, before.reply.command);
}

TEST_F(Restart, ACommandThatIsReplayedKeepsItsWordsForTheHistory) {
  config_.history_text = Config::HistoryText::keep;
  rows_->fail(1000);
  begin();
  (void)answer_to([&](AnswerCallback callback) {
    daemon_->command({.text = "please ocr this", .session = "desk"}, std::move(callback));
  });
  (void)answer_to([&](AnswerCallback callback) {
    daemon_->command({.text = "ocr again", .session = "desk"}, std::move(callback));
  });
  daemon_.reset();
  EXPECT_TRUE(rows_->all().empty());
  rows_->fail(0);
  begin(true);
  stop();
  std::vector<std::string> texts;
  for (const HistoryEntry& one : rows_->all()) {
    if (one.kind != "command") continue;
    texts.push_back(one.text);
    EXPECT_EQ(one.session, "desk");
  }
  EXPECT_EQ(texts, (std::vector<std::string>{"please ocr this", "ocr again"}));
}

}  // namespace
}  // namespace hearth

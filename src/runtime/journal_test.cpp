#include "runtime/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hearth {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "hearth-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  static JournalRecord record(std::uint64_t sequence) {
    JournalRecord result{.sequence = sequence, .unix_ms = 5, .event = {}};
    result.event.at = Instant{static_cast<std::int64_t>(sequence)};
    result.event.what = event::SignalReceived{"signal " + std::to_string(sequence), {}};
    return result;
  }
  void write(std::uint64_t first, std::uint64_t last) {
    Journal journal{directory_};
    journal.begin_file(first, first == 1);
    for (std::uint64_t i = first; i <= last; ++i) ASSERT_TRUE(journal.append(record(i)));
  }
  std::string file(std::uint64_t first) {
    std::string digits = std::to_string(first);
    return directory_ + "/journal-" + std::string(20 - digits.size(), '0') + digits + ".log";
  }
  void cut(const std::string& path, std::uint64_t by) {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - by);
  }
  static void damage(const std::string& path, std::uint64_t at) {
    std::fstream stream{path, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(stream.peek() ^ 0x55);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
  }
  static std::vector<std::uint64_t> sequences(const Recovered& recovered) {
    std::vector<std::uint64_t> found;
    for (const JournalRecord& one : recovered.tail) found.push_back(one.sequence);
    return found;
  }
  Snapshot snapshot(std::uint64_t sequence) {
    Snapshot result{.sequence = sequence, .next_request = 7, .boot_id = "b"};
    result.engine = {std::byte{1}, std::byte{0}, std::byte{255}};
    return result;
  }

  std::string directory_;
};

using Sequences = std::vector<std::uint64_t>;

TEST_F(JournalTest, WhatIsDeferredIsWrittenWithTheNextInItsOrder) {
  {
    Journal journal{directory_};
    journal.begin_file(1, true);
    journal.defer(record(1));
    EXPECT_EQ(journal.file_bytes(), 0U);
    ASSERT_TRUE(journal.append(record(2)));
    journal.defer(record(3));
    ASSERT_TRUE(journal.flush());
    journal.defer(record(4));  // and the process dies
  }
  EXPECT_EQ(sequences(Journal::recover(directory_)), (Sequences{1, 2, 3}));
}

TEST_F(JournalTest, OfNothingIsNothing) {
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_FALSE(recovered.snapshot);
  EXPECT_TRUE(recovered.tail.empty());
  EXPECT_TRUE(recovered.troubles.empty());
  EXPECT_EQ(recovered.last_sequence, 0U);
}

TEST_F(JournalTest, GivesBackWhatWasAppended) {
  write(1, 5);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(sequences(recovered), (Sequences{1, 2, 3, 4, 5}));
  EXPECT_EQ(std::get<event::SignalReceived>(recovered.tail[2].event.what).name, "signal 3");
  EXPECT_EQ(recovered.last_sequence, 5U);
}

TEST_F(JournalTest, EventsThatTheSnapshotHoldsOrThatStandTwiceCountOnce) {
  write(1, 6);
  write(4, 9);
  ASSERT_TRUE(Journal::save(directory_, snapshot(3)));
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(recovered.snapshot->engine.size(), 3U);
  EXPECT_EQ(recovered.snapshot->next_request, 7U);
  EXPECT_EQ(sequences(recovered), (Sequences{4, 5, 6, 7, 8, 9}));
}

TEST_F(JournalTest, ATornTailIsCutWhereverItIsTorn) {
  write(1, 3);
  const auto whole = std::filesystem::file_size(file(1));
  Journal journal{directory_};
  const auto record_size = encode_record(3, 5, record(3).event).size();
  for (std::uint64_t by = 1; by <= record_size; ++by) {
    std::filesystem::resize_file(file(1), whole - by);
    const Recovered recovered = Journal::recover(directory_);
    EXPECT_EQ(sequences(recovered), (Sequences{1, 2})) << by;
    EXPECT_TRUE(recovered.troubles.empty()) << by;
  }
}

TEST_F(JournalTest, AFileWithoutARecordLeavesItsNumberFree) {
  write(1, 3);
  ASSERT_TRUE(Journal::save(directory_, snapshot(3)));
  write(4, 4);
  cut(file(4), encode_record(4, 5, record(4).event).size());
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(recovered.last_sequence, 3U);
  EXPECT_EQ(recovered.whole_until, 3U);
  EXPECT_TRUE(recovered.troubles.empty());
}

TEST_F(JournalTest, NumbersBehindDamageAreNotUsedAgainAndTheGapIsTold) {
  write(1, 4);
  write(9, 9);
  damage(file(1), std::filesystem::file_size(file(1)) - 2);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(recovered.whole_until, 3U);
  EXPECT_EQ(recovered.last_sequence, 9U);
}

TEST_F(JournalTest, ATornTailFollowedByAnotherFileLosesNothing) {
  write(1, 3);
  cut(file(1), 2);
  write(3, 5);
  EXPECT_EQ(sequences(Journal::recover(directory_)), (Sequences{1, 2, 3, 4, 5}));
}

TEST_F(JournalTest, DamageIsSetAsideAndToldAndWhatIsBeforeItUsed) {
  write(1, 4);
  const auto size = std::filesystem::file_size(file(1));
  const auto one = encode_record(4, 5, record(4).event).size();
  damage(file(1), size - 2 * one + 14);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(sequences(recovered), (Sequences{1, 2}));
  ASSERT_EQ(recovered.troubles.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(file(1) + ".corrupt"));
  EXPECT_FALSE(std::filesystem::exists(file(1)));
}

TEST_F(JournalTest, AGapBetweenFilesIsDamage) {
  write(1, 2);
  write(5, 6);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(sequences(recovered), (Sequences{1, 2}));
  EXPECT_EQ(recovered.troubles.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(file(5) + ".corrupt"));
}

TEST_F(JournalTest, ASnapshotWhoseNameIsSyncedIsAsGoodAsAnother) {
  ASSERT_TRUE(Journal::save(directory_, snapshot(3), Sync::name_too));
  EXPECT_EQ(Journal::recover(directory_).last_sequence, 3U);
  EXPECT_TRUE(sync_directory(directory_));
  EXPECT_FALSE(sync_directory(directory_ + "/missing"));
}

TEST_F(JournalTest, ADamagedSnapshotIsSetAside) {
  ASSERT_TRUE(Journal::save(directory_, snapshot(3)));
  damage(directory_ + "/snapshot", std::filesystem::file_size(directory_ + "/snapshot") - 1);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_FALSE(recovered.snapshot);
  EXPECT_EQ(recovered.troubles.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/snapshot.corrupt"));
}

TEST_F(JournalTest, AnyDamagedByteOfASnapshotIsFound) {
  ASSERT_TRUE(Journal::save(directory_, snapshot(3)));
  const auto size = std::filesystem::file_size(directory_ + "/snapshot");
  for (std::uint64_t at = 0; at < size; ++at) {
    ASSERT_TRUE(Journal::save(directory_, snapshot(3)));
    damage(directory_ + "/snapshot", at);
    EXPECT_FALSE(Journal::recover(directory_).snapshot) << at;
  }
}

TEST_F(JournalTest, WhatContinuesALostSnapshotIsNotUsed) {
  write(4, 6);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_TRUE(recovered.tail.empty());
  EXPECT_EQ(recovered.troubles.size(), 1U);
}

TEST_F(JournalTest, AFirstFileMayBeginWithAnyNumber) {
  Journal journal{directory_};
  journal.begin_file(5001, true);
  ASSERT_TRUE(journal.append(record(5001)));
  EXPECT_EQ(sequences(Journal::recover(directory_)), Sequences{5001});
}

TEST_F(JournalTest, ForgetsWhatTheSnapshotHolds) {
  write(1, 3);
  write(4, 6);
  Journal::forget_before(directory_, 4);
  EXPECT_FALSE(std::filesystem::exists(file(1)));
  EXPECT_TRUE(std::filesystem::exists(file(4)));
}

TEST_F(JournalTest, AFullDiskIsAnErrorAndLeavesNothingOfTheRecord) {
  // /dev/full has no directory: a limit on the file's size fails in the same place.
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1024, 1024};
    (void)::setrlimit(RLIMIT_FSIZE, &limit);
    Journal journal{directory_};
    journal.begin_file(1, true);
    std::uint64_t i = 1;
    while (journal.append(record(i))) ++i;
    ::_exit(i > 5 && !journal.append(record(i)) ? static_cast<int>(i) : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  const auto failed = static_cast<std::uint64_t>(WEXITSTATUS(status));
  ASSERT_GT(failed, 5U);
  const Recovered recovered = Journal::recover(directory_);
  EXPECT_EQ(recovered.last_sequence, failed - 1);
  EXPECT_TRUE(recovered.troubles.empty());
}

TEST_F(JournalTest, WhatWasAppendedSurvivesTheDeathOfTheProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    Journal journal{directory_};
    journal.begin_file(1, true);
    for (std::uint64_t i = 1; i <= 100; ++i) (void)journal.append(record(i));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(Journal::recover(directory_).last_sequence, 100U);
}

TEST_F(JournalTest, TheReplayMarkNamesAnEventThatEndedTwoProcesses) {
  for (int process = 0; process < 2; ++process) {
    ReplayMark mark{directory_};
    EXPECT_FALSE(mark.poisoned());
    mark.begin(6);
    mark.begin(7);
  }
  EXPECT_EQ(ReplayMark{directory_}.poisoned(), std::optional<std::uint64_t>{7});
}

TEST_F(JournalTest, TheReplayMarkIsGoneAfterAReplay) {
  ReplayMark mark{directory_};
  mark.begin(1);
  mark.end();
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/replaying"));
}

TEST(LockFile, RefusesASecondHolderAndNamesTheFirst) {
  std::string pattern = ::testing::TempDir() + "hearth-lock-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  {
    const auto first = LockFile::take(pattern + "/lock");
    ASSERT_TRUE(first) << first.error().detail;
    const auto second = LockFile::take(pattern + "/lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_NE(second.error().detail.find("pid " + std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(LockFile::take(pattern + "/lock"));
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace hearth

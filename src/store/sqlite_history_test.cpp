#include "store/sqlite_history.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "store/database.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

HistoryEntry entry(std::uint64_t sequence, std::string kind = "command") {
  return {.sequence = sequence,
          .unix_ms = 1'700'000'000'000 + static_cast<std::int64_t>(sequence) * 1000,
          .kind = std::move(kind),
          .component = "ocr",
          .session = "s",
          .text = "can you see my screen?",
          .features = "0123abcd",
          .detail = R"({"wait_ms":12})",
          .figure = 12.5};
}

std::vector<HistoryEntry> entries(std::uint64_t from, std::uint64_t to, std::size_t padding = 0) {
  std::vector<HistoryEntry> all;
  for (std::uint64_t i = from; i <= to; ++i) {
    all.push_back(entry(i));
    all.back().detail.append(padding, 'x');
  }
  return all;
}

std::vector<std::uint64_t> sequences(History& history, std::string_view kind = "") {
  std::vector<std::uint64_t> found;
  const auto rows = history.last(1'000'000, kind);
  EXPECT_TRUE(rows) << (rows ? "" : rows.error().detail);
  if (rows) {
    for (const HistoryEntry& row : *rows) found.push_back(row.sequence);
  }
  return found;
}

std::vector<std::uint64_t> counting(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = from; i <= to; ++i) all.push_back(i);
  return all;
}

class SqliteHistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hearth-history-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    path = (folder / "history.db").string();
  }
  void TearDown() override { fs::remove_all(folder); }

  [[nodiscard]] SqliteHistory open() {
    return SqliteHistory(path, [this](const std::string& text) { notices.push_back(text); });
  }
  void fill(std::uint64_t to, std::size_t padding = 0) {
    SqliteHistory history(path);
    ASSERT_TRUE(history.apply(entries(1, to, padding)));
  }
  void overwrite(std::uintmax_t at, const std::string& bytes) const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
    ASSERT_TRUE(file.good());
  }

  fs::path folder;
  std::string path;
  std::vector<std::string> notices;
};

TEST_F(SqliteHistoryTest, KeepsEveryFieldOverAReopening) {
  HistoryEntry whole = entry(7, "use");
  whole.text = std::string("nul\0and \xff bytes", 15);
  {
    SqliteHistory history(path);
    EXPECT_EQ(history.last_sequence(), 0u);
    ASSERT_TRUE(history.apply({entry(3), whole}));
  }
  SqliteHistory history(path);
  EXPECT_EQ(history.last_sequence(), 7u);
  const auto rows = history.last(1, "");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  const HistoryEntry& row = rows->front();
  EXPECT_EQ(row.sequence, 7u);
  EXPECT_EQ(row.unix_ms, whole.unix_ms);
  EXPECT_EQ(row.kind, "use");
  EXPECT_EQ(row.component, "ocr");
  EXPECT_EQ(row.session, "s");
  EXPECT_EQ(row.text, whole.text);
  EXPECT_EQ(row.features, "0123abcd");
  EXPECT_EQ(row.detail, whole.detail);
  EXPECT_EQ(row.figure, 12.5);
}

TEST_F(SqliteHistoryTest, GivesTheLastOfAKindOldestFirst) {
  SqliteHistory history(path);
  ASSERT_TRUE(history.apply({entry(1), entry(2, "load"), entry(3), entry(4, "load"), entry(5)}));
  EXPECT_EQ(sequences(history, "load"), (std::vector<std::uint64_t>{2, 4}));
  const auto two = history.last(2, "command");
  ASSERT_TRUE(two);
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ(two->front().sequence, 3u);
  EXPECT_EQ(two->back().sequence, 5u);
}

TEST_F(SqliteHistoryTest, AppliesEachSequenceOnceHoweverOftenTheTailIsReplayed) {
  {
    SqliteHistory history(path);
    ASSERT_TRUE(history.apply(entries(1, 10)));
    ASSERT_TRUE(history.apply(entries(4, 12)));
  }
  SqliteHistory history(path);
  ASSERT_TRUE(history.apply(entries(1, 15)));
  ASSERT_TRUE(history.apply(entries(1, 15)));
  ASSERT_TRUE(history.apply({}));
  EXPECT_EQ(sequences(history), counting(1, 15));
}

TEST_F(SqliteHistoryTest, KeepsAllEntriesOfOneSequenceNumber) {
  SqliteHistory history(path);
  ASSERT_TRUE(history.apply({entry(1), entry(2, "load"), entry(2, "decision"), entry(1)}));
  EXPECT_EQ(sequences(history), (std::vector<std::uint64_t>{1, 2, 2}));
}

TEST_F(SqliteHistoryTest, ItsFilesAreForTheOwnerOnly) {
  const mode_t before = ::umask(0);
  SqliteHistory history(path);
  ASSERT_TRUE(history.apply(entries(1, 3)));
  ::umask(before);
  int files = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    EXPECT_EQ(file.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
        << file.path();
    ++files;
  }
  EXPECT_EQ(files, 3) << "the file, its log and its index";
}

TEST_F(SqliteHistoryTest, LearntFiguresAreReplacedByNameAndKept) {
  {
    SqliteHistory history(path);
    ASSERT_TRUE(history.save_learnt(
        {{"ocr", {100_MiB, 90_MiB}, 2s, {}}, {"asr", {1_GiB}, 4s, {{"gpu", {2_GiB, 3_GiB}}}}}));
    ASSERT_TRUE(history.save_learnt({{"ocr", {90_MiB, 120_MiB, 110_MiB}, 3s, {}}}));
  }
  SqliteHistory history(path);
  const auto learnt = history.load_learnt();
  ASSERT_TRUE(learnt);
  ASSERT_EQ(learnt->size(), 2u);
  EXPECT_EQ((*learnt)[0].name, "asr");
  EXPECT_EQ((*learnt)[1].name, "ocr");
  EXPECT_EQ((*learnt)[1].lives, (std::vector{90_MiB, 120_MiB, 110_MiB}));
  EXPECT_EQ((*learnt)[0].lives, std::vector{1_GiB});
  ASSERT_EQ((*learnt)[0].devices.size(), 1u);
  EXPECT_EQ((*learnt)[0].devices[0].resource, "gpu");
  EXPECT_EQ((*learnt)[0].devices[0].lives, (std::vector{2_GiB, 3_GiB}));
  EXPECT_EQ((*learnt)[1].load_time, 3s);
}

TEST_F(SqliteHistoryTest, AFileOfAVersionThatKnewPeaksAloneGivesOneLifeEach) {
  {
    SqliteHistory history(path);
    ASSERT_TRUE(history.save_learnt({{"ocr", {100_MiB, 120_MiB}, 2s, {}}}));
  }
  {
    auto database = Database::open(path);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("DROP TABLE lives"));
  }
  SqliteHistory history(path);
  const auto learnt = history.load_learnt();
  ASSERT_TRUE(learnt);
  EXPECT_EQ((*learnt)[0].lives, std::vector{120_MiB});
}

TEST_F(SqliteHistoryTest, PrunesWhatIsOlderThanTheDays) {
  SqliteHistory history(path);
  HistoryEntry old = entry(1);
  old.unix_ms = 0;
  HistoryEntry young = entry(2);
  young.unix_ms = 9 * 86'400'000LL;
  ASSERT_TRUE(history.apply({old, young}));
  ASSERT_TRUE(history.prune(10 * 86'400'000LL, 5, 1_GiB));
  EXPECT_EQ(sequences(history), (std::vector<std::uint64_t>{2}));
}

TEST_F(SqliteHistoryTest, PrunesTheOldestBeyondTheSizeAndGivesTheSpaceBack) {
  SqliteHistory history(path);
  ASSERT_TRUE(history.apply(entries(1, 3000, 1000)));
  ASSERT_TRUE(history.prune(0, 36'500, 1_MiB));
  const std::vector<std::uint64_t> left = sequences(history);
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left, counting(left.front(), 3000)) << "the youngest stay";
  EXPECT_GT(left.size(), 300u) << "no more goes than must";
  EXPECT_LE(fs::file_size(path), (1_MiB).count);
  EXPECT_EQ(history.last_sequence(), 3000u);
}

TEST_F(SqliteHistoryTest, AFileOfGarbageIsSetAsideAndBegunAnew) {
  std::ofstream(path) << std::string(10'000, 'g');
  SqliteHistory history = open();
  ASSERT_TRUE(history.apply(entries(1, 2)));
  EXPECT_EQ(sequences(history), counting(1, 2));
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_NE(notices[0].find(path + ".corrupt"), std::string::npos) << notices[0];
  EXPECT_EQ(fs::file_size(path + ".corrupt"), 10'000u);
}

TEST_F(SqliteHistoryTest, ATruncatedFileIsSetAsideAndBegunAnew) {
  fill(2000, 200);
  fs::resize_file(path, fs::file_size(path) / 2);
  SqliteHistory history = open();
  EXPECT_EQ(history.last_sequence(), 0u);
  ASSERT_TRUE(history.apply(entries(1, 2)));
  EXPECT_EQ(sequences(history), counting(1, 2));
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(SqliteHistoryTest, PagesOverwrittenWithinAreFoundWhenTheyAreRead) {
  fill(2000, 200);
  overwrite(8192, std::string(fs::file_size(path) - 8192 - 4096, '\xa5'));
  SqliteHistory history = open();
  const auto rows = history.last(2000, "");
  ASSERT_TRUE(rows) << rows.error().detail;
  EXPECT_TRUE(rows->empty());
  ASSERT_TRUE(history.apply(entries(1, 3)));
  EXPECT_EQ(sequences(history), counting(1, 3));
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(SqliteHistoryTest, TablesOfSomethingElseAreSetAside) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE entries(a); PRAGMA user_version = 1", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  SqliteHistory history = open();
  ASSERT_TRUE(history.apply(entries(1, 1)));
  EXPECT_EQ(notices.size(), 1u);
}

TEST_F(SqliteHistoryTest, AFileOfALaterVersionIsSetAsideUnderItsVersion) {
  fill(2);
  sqlite3* later = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &later), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(later, "PRAGMA user_version = 9", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(later);
  SqliteHistory history = open();
  ASSERT_TRUE(history.apply(entries(1, 1)));
  EXPECT_TRUE(fs::exists(path + ".version-9"));
  EXPECT_EQ(notices.size(), 1u);
}

// As root no mode refuses anything, so the folder is a file: what cannot be written, whoever asks.
TEST_F(SqliteHistoryTest, AnUnwritablePlaceIsAnErrorUntilItIsMended) {
  std::ofstream(folder / "state") << "not a folder";
  SqliteHistory history((folder / "state" / "history.db").string());
  const Result<> refused = history.apply(entries(1, 2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::io);
  EXPECT_EQ(history.last_sequence(), 0u);
  EXPECT_FALSE(history.last(1, ""));
  EXPECT_FALSE(history.load_learnt());
  EXPECT_FALSE(history.prune(0, 1, 1_MiB));

  fs::remove(folder / "state");
  fs::create_directory(folder / "state");
  ASSERT_TRUE(history.apply(entries(1, 2)));
  EXPECT_EQ(sequences(history), counting(1, 2));
}

// No file of this process may grow beyond the limit while this lives: what a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    signal_before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, signal_before_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*signal_before_)(int) = nullptr;
};

TEST_F(SqliteHistoryTest, AFullDiskIsAnErrorThatLosesNothingAndIsOverWhenThereIsRoom) {
  SqliteHistory history = open();
  ASSERT_TRUE(history.apply(entries(1, 10)));
  {
    const FileSizeLimit full(256 * 1024);
    const Result<> refused = history.apply(entries(11, 2000, 1000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io);
    EXPECT_EQ(history.last_sequence(), 10u);
    EXPECT_EQ(sequences(history), counting(1, 10));
  }
  ASSERT_TRUE(history.apply(entries(11, 2000, 1000)));
  EXPECT_EQ(sequences(history), counting(1, 2000));
  EXPECT_TRUE(notices.empty());
}

TEST_F(SqliteHistoryTest, AnswersFromOtherThreadsWhileOneWrites) {
  SqliteHistory history(path);
  ASSERT_TRUE(history.apply(entries(1, 1)));
  std::jthread writer([&history] {
    for (std::uint64_t i = 2; i <= 60; ++i) EXPECT_TRUE(history.apply(entries(i, i)));
  });
  std::uint64_t last = 0;
  while (last < 60) {
    const auto rows = history.last(1, "");
    ASSERT_TRUE(rows);
    ASSERT_GE(rows->front().sequence, last);
    last = rows->front().sequence;
  }
}

TEST_F(SqliteHistoryTest, ALongStreamOfSmallBatchesKeepsTheLogSmall) {
  SqliteHistory history(path);
  for (std::uint64_t i = 1; i <= 3000; i += 3) ASSERT_TRUE(history.apply(entries(i, i + 2, 2000)));
  EXPECT_EQ(sequences(history).size(), 3000u);
  EXPECT_LT(fs::file_size(path + "-wal"), (8_MiB).count);
}

}  // namespace
}  // namespace hearth

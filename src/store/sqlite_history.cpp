#include "store/sqlite_history.h"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <optional>
#include <utility>

#include "store/database.h"

namespace hearth {
namespace {

constexpr std::int64_t schema_version = 1;

constexpr const char* settings_sql =
    "PRAGMA auto_vacuum = INCREMENTAL;"  // of a new file only
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "PRAGMA cache_size = -512;"
    "PRAGMA journal_size_limit = 4194304;";

constexpr const char* schema_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE entries(id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL,"
    " unix_ms INTEGER NOT NULL, kind TEXT NOT NULL, component TEXT NOT NULL,"
    " session TEXT NOT NULL, text TEXT NOT NULL, features TEXT NOT NULL, detail TEXT NOT NULL,"
    " figure REAL NOT NULL);"
    "CREATE INDEX entries_by_kind ON entries(kind, id);"
    "CREATE TABLE learnt(name TEXT PRIMARY KEY, peak_bytes INTEGER NOT NULL,"
    " load_time_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE progress(one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL);"
    "INSERT INTO progress VALUES(1, 0);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

// Beside `learnt`, and passed over by versions that do not know it: `resource` is empty for ram.
constexpr const char* lives_sql =
    "CREATE TABLE IF NOT EXISTS lives(name TEXT NOT NULL, resource TEXT NOT NULL,"
    " place INTEGER NOT NULL, peak_bytes INTEGER NOT NULL,"
    " PRIMARY KEY(name, resource, place)) WITHOUT ROWID";

constexpr const char* insert_sql =
    "INSERT INTO entries(sequence, unix_ms, kind, component, session, text, features, detail,"
    " figure) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";

// Rolls back unless it was committed.
class Transaction {
 public:
  [[nodiscard]] static Result<Transaction> begin(Database& database) {
    (void)HEARTH_TRY(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
  }
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (database_ != nullptr) (void)database_->execute("ROLLBACK");
  }
  [[nodiscard]] Result<> commit() {
    (void)HEARTH_TRY(database_->execute("COMMIT"));
    database_ = nullptr;
    return {};
  }

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

Result<> save_lives(Statement& statement, const std::string& name, const std::string& resource,
                    const std::vector<Bytes>& lives) {
  for (std::size_t i = 0; i < lives.size(); ++i) {
    (void)HEARTH_TRY(statement.bind(std::string_view(name))
                         .bind(std::string_view(resource))
                         .bind(static_cast<std::int64_t>(i))
                         .bind(static_cast<std::int64_t>(lives[i].count))
                         .run());
  }
  return {};
}

// The lives behind each peak, where they are known; `learnt` is in order of name.
Result<> load_lives(Database& database, std::vector<event::Learnt>& learnt) {
  Statement statement = HEARTH_TRY(database.prepare(
      "SELECT name, resource, peak_bytes FROM lives ORDER BY name, resource, place"));
  std::string seen;
  while (HEARTH_TRY(statement.step())) {
    const std::string name = statement.text(0);
    const auto found = std::ranges::find(learnt, name, &event::Learnt::name);
    if (found == learnt.end()) continue;
    const std::string resource = statement.text(1);
    const Bytes peak{static_cast<std::uint64_t>(statement.integer(2))};
    if (resource.empty()) {
      if (seen != name) found->lives.clear();
      seen = name;
      found->lives.push_back(peak);
      continue;
    }
    auto& devices = found->devices;
    if (devices.empty() || devices.back().resource != resource) devices.push_back({resource, {}});
    devices.back().lives.push_back(peak);
  }
  return {};
}

HistoryEntry read_entry(const Statement& row) {
  return {.sequence = static_cast<std::uint64_t>(row.integer(0)),
          .unix_ms = row.integer(1),
          .kind = row.text(2),
          .component = row.text(3),
          .session = row.text(4),
          .text = row.text(5),
          .features = row.text(6),
          .detail = row.text(7),
          .figure = row.real(8)};
}

Result<Bytes> used(Database& database) {
  const std::int64_t pages = HEARTH_TRY(database.integer("PRAGMA page_count"));
  const std::int64_t spare = HEARTH_TRY(database.integer("PRAGMA freelist_count"));
  const std::int64_t page_bytes = HEARTH_TRY(database.integer("PRAGMA page_size"));
  return Bytes{static_cast<std::uint64_t>((pages - spare) * page_bytes)};
}

// Deletes the share of the oldest rows that is over the limit, and again while it still is: rows
// differ in length.
Result<> shrink(Database& database, Bytes size_max) {
  for (int round = 0; round < 16; ++round) {
    const Bytes held = HEARTH_TRY(used(database));
    const std::int64_t rows = HEARTH_TRY(database.integer("SELECT count(*) FROM entries"));
    if (held <= size_max || rows == 0) return {};
    const double share =
        static_cast<double>((held - size_max).count) / static_cast<double>(held.count);
    const auto surplus = static_cast<std::int64_t>(static_cast<double>(rows) * share) + 1;
    Statement statement = HEARTH_TRY(database.prepare(
        "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY id LIMIT ?)"));
    (void)HEARTH_TRY(statement.bind(surplus).run());
  }
  return {};
}

}  // namespace

struct SqliteHistory::Impl {
  Impl(std::string file, Notice told) : path(std::move(file)), notice(std::move(told)) {}

  std::string path;
  Notice notice;
  std::mutex mutex;
  // What follows is used under the mutex only. Statements end before the database that they are of.
  std::optional<Database> database;
  std::optional<Statement> insert;
  std::uint64_t sequence = 0;

  void close() {
    insert.reset();
    database.reset();
  }

  Result<> open() {
    if (database) return {};
    Database opened = HEARTH_TRY(Database::open(path));
    (void)HEARTH_TRY(opened.execute(settings_sql));
    std::int64_t version = HEARTH_TRY(opened.integer("PRAGMA user_version"));
    if (version > schema_version) {
      opened = {};
      (void)HEARTH_TRY(set_aside("version-" + std::to_string(version), "is of a later version"));
      opened = HEARTH_TRY(Database::open(path));
      (void)HEARTH_TRY(opened.execute(settings_sql));
      version = 0;
    }
    if (version == 0) (void)HEARTH_TRY(opened.execute(schema_sql));
    (void)HEARTH_TRY(opened.execute(lives_sql));
    sequence =
        static_cast<std::uint64_t>(HEARTH_TRY(opened.integer("SELECT sequence FROM progress")));
    insert = HEARTH_TRY(opened.prepare(insert_sql));
    database = std::move(opened);
    return {};
  }

  Result<> set_aside(const std::string& ending, const std::string& why) {
    const std::string target = path + "." + ending;
    if (std::rename(path.c_str(), target.c_str()) != 0) {
      return fail(Errc::io, path + " " + why + " and cannot be renamed to " + target);
    }
    // The log belongs to the file that was renamed; without one, an old log must not be taken up.
    for (const char* beside : {"-wal", "-shm"}) {
      (void)std::remove((target + beside).c_str());
      (void)std::rename((path + beside).c_str(), (target + beside).c_str());
    }
    if (notice) notice(path + " " + why + ": set aside as " + target + ", begun anew");
    return {};
  }

  // Does `work` on the open database. A damaged file is set aside and the work done on a new one;
  // after any other error the next call opens anew.
  template <class Work>
  auto attempt(Work work) -> decltype(work()) {
    const std::lock_guard lock(mutex);
    for (bool is_second : {false, true}) {
      Result<> opened = open();
      // Tables that are not ours: of no more use than damaged ones.
      if (!opened && opened.error().code == Errc::invalid) opened.error().code = Errc::corrupt;
      auto result = opened ? work() : decltype(work())(std::unexpected(opened.error()));
      if (result) return result;
      close();
      if (result.error().code != Errc::corrupt || is_second) return result;
      const Result<> moved = set_aside("corrupt", "is damaged (" + result.error().detail + ")");
      if (!moved) return std::unexpected(moved.error());
    }
    return fail(Errc::corrupt, path);
  }

  Result<> write(const std::vector<HistoryEntry>& entries) {
    Transaction transaction = HEARTH_TRY(Transaction::begin(*database));
    std::uint64_t newest = sequence;
    for (const HistoryEntry& entry : entries) {
      if (entry.sequence <= sequence || entry.sequence < newest) continue;
      newest = entry.sequence;
      (void)HEARTH_TRY(insert->bind(static_cast<std::int64_t>(entry.sequence))
                           .bind(entry.unix_ms)
                           .bind(std::string_view(entry.kind))
                           .bind(std::string_view(entry.component))
                           .bind(std::string_view(entry.session))
                           .bind(std::string_view(entry.text))
                           .bind(std::string_view(entry.features))
                           .bind(std::string_view(entry.detail))
                           .bind(entry.figure)
                           .run());
    }
    if (newest == sequence) return {};
    Statement progress = HEARTH_TRY(database->prepare("UPDATE progress SET sequence = ?"));
    (void)HEARTH_TRY(progress.bind(static_cast<std::int64_t>(newest)).run());
    (void)HEARTH_TRY(transaction.commit());
    sequence = newest;
    return {};
  }

  Result<std::vector<HistoryEntry>> read(std::size_t count, std::string_view kind) {
    constexpr std::string_view columns =
        "SELECT sequence, unix_ms, kind, component, session, text, features, detail, figure"
        " FROM entries ";
    const std::string sql =
        std::string(columns) + (kind.empty() ? "" : "WHERE kind = ? ") + "ORDER BY id DESC LIMIT ?";
    Statement statement = HEARTH_TRY(database->prepare(sql));
    if (!kind.empty()) statement.bind(kind);
    statement.bind(static_cast<std::int64_t>(std::min(count, std::size_t{1} << 32)));
    std::vector<HistoryEntry> entries;
    while (HEARTH_TRY(statement.step())) entries.push_back(read_entry(statement));
    std::reverse(entries.begin(), entries.end());
    return entries;
  }

  Result<> prune(std::int64_t before_unix_ms, Bytes size_max) {
    Transaction transaction = HEARTH_TRY(Transaction::begin(*database));
    Statement old = HEARTH_TRY(database->prepare("DELETE FROM entries WHERE unix_ms < ?"));
    (void)HEARTH_TRY(old.bind(before_unix_ms).run());
    (void)HEARTH_TRY(shrink(*database, size_max));
    (void)HEARTH_TRY(transaction.commit());
    (void)HEARTH_TRY(database->execute("PRAGMA incremental_vacuum"));
    return database->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }
};

SqliteHistory::SqliteHistory(std::string path, Notice notice)
    : impl_(std::make_unique<Impl>(std::move(path), std::move(notice))) {}

SqliteHistory::~SqliteHistory() = default;

Result<> SqliteHistory::apply(const std::vector<HistoryEntry>& entries) {
  return impl_->attempt([&] { return impl_->write(entries); });
}

std::uint64_t SqliteHistory::last_sequence() const {
  const auto found = impl_->attempt([&]() -> Result<std::uint64_t> { return impl_->sequence; });
  return found.value_or(0);
}

Result<std::vector<HistoryEntry>> SqliteHistory::last(std::size_t count, std::string_view kind) {
  return impl_->attempt([&] { return impl_->read(count, kind); });
}

Result<> SqliteHistory::save_learnt(const std::vector<event::Learnt>& learnt) {
  return impl_->attempt([&]() -> Result<> {
    Transaction transaction = HEARTH_TRY(Transaction::begin(*impl_->database));
    Statement statement =
        HEARTH_TRY(impl_->database->prepare("INSERT OR REPLACE INTO learnt VALUES(?, ?, ?)"));
    Statement forget = HEARTH_TRY(impl_->database->prepare("DELETE FROM lives WHERE name = ?"));
    Statement live = HEARTH_TRY(impl_->database->prepare("INSERT INTO lives VALUES(?, ?, ?, ?)"));
    for (const event::Learnt& one : learnt) {
      Bytes peak;
      for (const Bytes life : one.lives) peak = std::max(peak, life);
      (void)HEARTH_TRY(statement.bind(std::string_view(one.name))
                           .bind(static_cast<std::int64_t>(peak.count))
                           .bind(std::int64_t{one.load_time.count()})
                           .run());
      (void)HEARTH_TRY(forget.bind(std::string_view(one.name)).run());
      (void)HEARTH_TRY(save_lives(live, one.name, "", one.lives));
      for (const event::LearntDevice& device : one.devices) {
        (void)HEARTH_TRY(save_lives(live, one.name, device.resource, device.lives));
      }
    }
    return transaction.commit();
  });
}

Result<std::vector<event::Learnt>> SqliteHistory::load_learnt() {
  return impl_->attempt([&]() -> Result<std::vector<event::Learnt>> {
    Statement statement = HEARTH_TRY(impl_->database->prepare(
        "SELECT name, peak_bytes, load_time_ns FROM learnt ORDER BY name"));
    std::vector<event::Learnt> learnt;
    while (HEARTH_TRY(statement.step())) {
      const Bytes peak{static_cast<std::uint64_t>(statement.integer(1))};
      learnt.push_back({.name = statement.text(0),
                        .lives = peak > Bytes{} ? std::vector{peak} : std::vector<Bytes>{},
                        .load_time = Duration{statement.integer(2)},
                        .devices = {}});
    }
    (void)HEARTH_TRY(load_lives(*impl_->database, learnt));
    return learnt;
  });
}

Result<> SqliteHistory::prune(std::int64_t now_unix_ms, unsigned days, Bytes size_max) {
  constexpr std::int64_t day_ms = 86'400'000;
  return impl_->attempt([&] { return impl_->prune(now_unix_ms - days * day_ms, size_max); });
}

}  // namespace hearth

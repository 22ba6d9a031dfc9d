#include "store/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hearth {
namespace {

std::unexpected<Error> failure(sqlite3* database, int result) {
  const int primary = result & 0xff;
  const bool is_damage = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  const bool is_statement = primary == SQLITE_ERROR;  // its tables are not there, or others are
  const char* file = database != nullptr ? sqlite3_db_filename(database, "main") : nullptr;
  std::string detail = file != nullptr && *file != '\0' ? std::string(file) + ": " : "";
  detail += database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(result);
  return fail(is_damage      ? Errc::corrupt
              : is_statement ? Errc::invalid
                             : Errc::io,
              std::move(detail));
}

// SQLite gives the log and the index beside it the mode of the file itself.
Result<> make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return fail(Errc::io, path + ": " + std::strerror(errno));
  const int changed = ::fchmod(file, 0600);
  const int reason = errno;
  ::close(file);
  if (changed != 0) return fail(Errc::io, path + ": " + std::strerror(reason));
  return {};
}

}  // namespace

Statement& Statement::bind(std::int64_t value) {
  bind_result_ |= sqlite3_bind_int64(handle_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::bind(double value) {
  bind_result_ |= sqlite3_bind_double(handle_.get(), ++bound_, value);
  return *this;
}

Statement& Statement::bind(std::string_view value) {
  bind_result_ |= sqlite3_bind_text64(handle_.get(), ++bound_, value.data() ? value.data() : "",
                                      value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Result<bool> Statement::step() {
  if (bind_result_ == SQLITE_OK) {
    const int result = sqlite3_step(handle_.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) {
      sqlite3_reset(handle_.get());
      bound_ = 0;
      return false;
    }
    bind_result_ = result;
  }
  const int result = std::exchange(bind_result_, SQLITE_OK);
  auto error = failure(sqlite3_db_handle(handle_.get()), result);
  sqlite3_reset(handle_.get());
  bound_ = 0;
  return error;
}

Result<> Statement::run() {
  while (HEARTH_TRY(step())) {
  }
  return {};
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(handle_.get(), column); }

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(handle_.get(), column);
  const auto length = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return bytes != nullptr ? std::string(static_cast<const char*>(bytes), length) : std::string();
}

Result<Database> Database::open(const std::string& path) {
  (void)HEARTH_TRY(make_private(path));
  sqlite3* handle = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.handle_.reset(handle);  // given even on failure
  if (result != SQLITE_OK) return failure(handle, result);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, 1000);
  return database;
}

Result<> Database::execute(const std::string& sql) {
  const int result = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failure(handle_.get(), result);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int result = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (result != SQLITE_OK) return failure(handle_.get(), result);
  Statement statement;
  statement.handle_.reset(handle);
  return statement;
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  Statement statement = HEARTH_TRY(prepare(sql));
  const bool has_row = HEARTH_TRY(statement.step());
  if (!has_row) return fail(Errc::corrupt, "no row: " + std::string(sql));
  return statement.integer(0);
}

}  // namespace hearth

// A thin cover over SQLite's C interface: values, errors and lifetimes as this project has them.
//
// Errors     corrupt when the file's content is damaged or no database; invalid when a statement
//            does not suit the tables that are there; io for all else.
// Threads    thread-compatible.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace hearth {

class Statement {
 public:
  // Columns and parameters are bound and read in order.
  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view value);

  // True when there is a row; false when it is done, and then it may be bound anew.
  [[nodiscard]] Result<bool> step();
  // Runs to its end.
  [[nodiscard]] Result<> run();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int bound_ = 0;
  int bind_result_ = SQLITE_OK;
};

class Database {
 public:
  // Opens or makes the file, mode 0600.
  [[nodiscard]] static Result<Database> open(const std::string& path);

  [[nodiscard]] Result<> execute(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  // The first column of the first row.
  [[nodiscard]] Result<std::int64_t> integer(std::string_view sql);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace hearth

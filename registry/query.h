// A Query is one run of a prepared statement.
//
//   Query jobs(database, sql::kJobsOfDomain, domain);
//   while (jobs.Next()) Use(jobs.Int(0), jobs.Text(1));
//   RETURN_IF_ERROR(jobs.status());
//
// It may not outlive its Database; the SQL must be a constant that lives as long as the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"
#include "registry/database.h"

namespace mozgach {

class Query {
 public:
  // Binds `values` to ?1, ?2…; integers, doubles, text, and optionals of them (empty: NULL).
  template <typename... Values>
  Query(Database& database, const char* sql, const Values&... values)
      : database_(database), sql_(sql) {
    Prepare();
    (Bind(values), ...);
  }
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // True while there is a row.  False at the end and after an error: see status().
  bool Next();
  const absl::Status& status() const { return status_; }

  // Values of the current row; columns are counted from 0. NULL is read as 0 or "".
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  double Real(int column) const { return sqlite3_column_double(statement_, column); }
  std::string Text(int column) const;
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  void Prepare();
  void Bind(int64_t value);
  void Bind(uint64_t value) { Bind(static_cast<int64_t>(value)); }
  void Bind(int value) { Bind(static_cast<int64_t>(value)); }
  void Bind(bool value) { Bind(static_cast<int64_t>(value)); }
  void Bind(double value);
  void Bind(std::string_view value);
  void Bind(const std::string& value) { Bind(std::string_view(value)); }
  void Bind(const char* value) { Bind(std::string_view(value)); }
  template <typename Value>
  void Bind(const std::optional<Value>& value) {
    if (value.has_value()) return Bind(*value);
    ++parameter_;  // unbound is NULL
  }
  void Check(int code);

  Database& database_;
  const char* const sql_;
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0;
  absl::Status status_;
};

// Runs a statement to its end, for what it writes.
template <typename... Values>
absl::Status Run(Database& database, const char* sql, const Values&... values) {
  Query query(database, sql, values...);
  while (query.Next()) {
  }
  return query.status();
}

// As Run; true when exactly one row was changed: the answer of a write guarded by its WHERE.
template <typename... Values>
absl::StatusOr<bool> RunGuarded(Database& database, const char* sql, const Values&... values) {
  RETURN_IF_ERROR(Run(database, sql, values...));
  return database.Changes() == 1;
}

}  // namespace mozgach

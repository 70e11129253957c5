// A Database is one SQLite connection, spoken to in cached prepared statements (query.h) and
// transactions.  What is committed survives the end of the process (WAL, synchronous=NORMAL), and a
// power cut once Sync() has returned: one sync serves all the commits before it.
//
// One thread at a time, but for Sync().  One process writes the file: who opens it sees to that
// with a lock file.  Errors carry SQLite's extended code; a full disk is RESOURCE_EXHAUSTED and
// leaves everything as it was before the transaction.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/status.h"
#include "registry/log_sync.h"

namespace mozgach {

class Database {
 public:
  // What the connection has done since it was opened.
  struct Stats {
    int64_t commits = 0;
    double commit_seconds = 0;  // in COMMIT, which writes
    int64_t failures = 0;       // statements that ended with an error
    int64_t file_failures = 0;  // those of the file: full, read-only, not readable, damaged
  };

  // ":memory:" opens an empty database of its own, "" one that is on the disk and goes when closed.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);
  // Opens an existing database read-only, also while another process writes it. One statement reads
  // one consistent state. NOT_FOUND if the file does not exist.
  static absl::StatusOr<std::unique_ptr<Database>> OpenToRead(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // What was committed until now is on the disk: only then may anybody be told, or anything be done
  // that cannot be undone.  See LogSync for a failure.  Thread-safe.
  absl::Status Sync() { return log_sync_.Sync(); }
  const LogSync& log_sync() const { return log_sync_; }

  // Runs statements without parameters or results: migrations, pragmas.
  absl::Status Execute(const std::string& sql);

  // Takes over all that `source` holds, as it is now; what was here is gone.  Both stay open.
  absl::Status CopyFrom(Database& source);

  // Rows changed by the last statement.
  int64_t Changes() const { return sqlite3_changes64(connection_); }
  // Rows changed since it was opened, also by what was undone: it grows when there is something to
  // sync.
  int64_t ChangesInAll() const { return sqlite3_total_changes64(connection_); }
  int64_t LastInsertedRow() const { return sqlite3_last_insert_rowid(connection_); }
  int64_t SizeBytes();
  int64_t WalSizeBytes() const;
  const Stats& stats() const { return stats_; }
  // The message of the last file failure; empty: there was none.
  const std::string& last_file_failure() const { return last_file_failure_; }
  const std::string& path() const { return path_; }

  // The status for what SQLite just said; `action` is what was tried.
  absl::Status Error(int code, const std::string& action);

 private:
  friend class Query;
  friend class Transaction;

  Database(std::string path, sqlite3* connection)
      : path_(std::move(path)), connection_(connection), log_sync_(path_) {}
  // A statement nobody uses now, prepared if need be; null sets `status`.
  sqlite3_stmt* TakeStatement(const char* sql, absl::Status* status);
  void ReturnStatement(const char* sql, sqlite3_stmt* statement);

  const std::string path_;
  sqlite3* const connection_;
  LogSync log_sync_;
  // Keyed by the constant's address: every query is a constant of a generated header.
  std::unordered_map<const char*, std::vector<sqlite3_stmt*>> idle_statements_;
  int transaction_depth_ = 0;
  Stats stats_;
  std::string last_file_failure_;
};

// A Transaction takes the write lock at once and is undone unless committed.  Transactions nest: an
// inner one is a savepoint, durable when the outermost commits, so that several can share one.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Status of BEGIN. Check it before writing.
  const absl::Status& status() const { return status_; }
  // OK: it is in the database, and on disk with the next Sync.  Otherwise nothing of it is.
  absl::Status Commit();

 private:
  void Undo();

  Database& database_;
  const int depth_;
  bool open_ = false;
  absl::Status status_;
};

}  // namespace mozgach

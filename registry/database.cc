#include "registry/database.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "registry/query.h"

namespace mozgach {
namespace {

// Who opens or closes the file beside us holds it for a moment.
constexpr int kPatienceMs = 5000;
constexpr char kPageCount[] =
    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
// Kept prepared: each change of a job is between them.
constexpr char kBegin[] = "BEGIN IMMEDIATE";
constexpr char kCommit[] = "COMMIT";

// What is sorted here is a handful of rows.  SQLite would take a page for each sort all the same,
// and pages are what a heap gives slowly once it is full of holes, as after a million submits.
void PreferSmallAllocations() {
  static const int code = sqlite3_config(SQLITE_CONFIG_SMALL_MALLOC, 1);
  static_cast<void>(code);  // too late in a program that has used SQLite by itself; no harm
}

bool IsOfTheFile(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    default:
      return false;
  }
}

absl::StatusCode CodeFor(int code, int system_error) {
  if (code == SQLITE_IOERR_SHMSIZE || system_error == ENOSPC || system_error == EDQUOT) {
    return absl::StatusCode::kResourceExhausted;
  }
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return absl::StatusCode::kFailedPrecondition;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kAborted;
    default:
      return absl::StatusCode::kInternal;
  }
}

const char* Advice(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kResourceExhausted:
      return "; make room on the disk and try again";
    case absl::StatusCode::kDataLoss:
      return "; restore it from a backup";
    case absl::StatusCode::kFailedPrecondition:
      return "; check its path and permissions";
    default:
      return "";
  }
}

// An earlier process may have died after it wrote a transaction and before that was on disk. SQLite
// reads it all the same. Sync it before anything relies on it.
absl::Status SettleLog(const std::string& path) {
  const std::filesystem::path log = path + "-wal";
  struct stat info;
  if (::stat(log.c_str(), &info) != 0) return absl::OkStatus();
  RETURN_IF_ERROR(DURABLE("registry.database.settle", SyncFile(log)));
  return DURABLE("registry.database.settle_name",
                 SyncDirectory(log.has_parent_path() ? log.parent_path() : "."));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  PreferSmallAllocations();
  RETURN_IF_ERROR(SettleLog(path));
  sqlite3* connection = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  std::unique_ptr<Database> database(new Database(path, connection));
  if (code != SQLITE_OK) return database->Error(code, "open");
  sqlite3_busy_timeout(connection, kPatienceMs);
  RETURN_IF_ERROR(database->Execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
      "PRAGMA trusted_schema=OFF; PRAGMA cache_size=-65536; PRAGMA journal_size_limit=67108864;"));
  return database;
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenToRead(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return SystemError(errno, "open " + path);
  sqlite3* connection = nullptr;
  // Not read-only: what was committed may still be in the log, which must be opened to be read.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  std::unique_ptr<Database> database(new Database(path, connection));
  if (code != SQLITE_OK) return database->Error(code, "open");
  sqlite3_busy_timeout(connection, kPatienceMs);
  RETURN_IF_ERROR(database->Execute("PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;"));
  return database;
}

Database::~Database() {
  for (auto& [sql, statements] : idle_statements_) {
    for (sqlite3_stmt* statement : statements) sqlite3_finalize(statement);
  }
  sqlite3_close_v2(connection_);
}

absl::Status Database::Execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, "run a statement");
}

absl::Status Database::CopyFrom(Database& source) {
  sqlite3_backup* copy = sqlite3_backup_init(connection_, "main", source.connection_, "main");
  if (copy == nullptr) return Error(sqlite3_extended_errcode(connection_), "copy into it");
  const int stepped = sqlite3_backup_step(copy, -1);
  // A step that found the source locked counts as no error to the finish.
  const int finished = sqlite3_backup_finish(copy);
  const int code = stepped == SQLITE_DONE ? finished : stepped;
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, "copy " + source.path_ + " into it");
}

absl::Status Database::Error(int code, const std::string& action) {
  ++stats_.failures;
  const int system_error = connection_ == nullptr ? 0 : sqlite3_system_errno(connection_);
  const bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  const absl::StatusCode status_code = CodeFor(code, io ? system_error : 0);
  const char* message = connection_ == nullptr ? "out of memory" : sqlite3_errmsg(connection_);
  absl::Status status(status_code, absl::StrCat(path_, ": cannot ", action, ": ", message,
                                                " (SQLite ", code, ")", Advice(status_code)));
  if (IsOfTheFile(code)) {
    ++stats_.file_failures;
    last_file_failure_ = std::string(status.message());
  }
  return status;
}

sqlite3_stmt* Database::TakeStatement(const char* sql, absl::Status* status) {
  auto& idle = idle_statements_[sql];
  if (!idle.empty()) {
    sqlite3_stmt* statement = idle.back();
    idle.pop_back();
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) *status = Error(code, absl::StrCat("prepare '", sql, "'"));
  return statement;
}

void Database::ReturnStatement(const char* sql, sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  idle_statements_[sql].push_back(statement);
}

int64_t Database::SizeBytes() {
  Query size(*this, kPageCount);
  return size.Next() ? size.Int(0) : 0;
}

int64_t Database::WalSizeBytes() const {
  struct stat info;
  return ::stat(absl::StrCat(path_, "-wal").c_str(), &info) == 0 ? info.st_size : 0;
}

Transaction::Transaction(Database& database)
    : database_(database), depth_(database.transaction_depth_) {
  status_ =
      depth_ == 0 ? Run(database_, kBegin) : database_.Execute(absl::StrCat("SAVEPOINT s", depth_));
  open_ = status_.ok();
  if (open_) ++database_.transaction_depth_;
}

Transaction::~Transaction() {
  if (open_) Undo();
}

absl::Status Transaction::Commit() {
  if (!open_) return status_;
  const auto start = std::chrono::steady_clock::now();
  status_ =
      depth_ == 0 ? Run(database_, kCommit) : database_.Execute(absl::StrCat("RELEASE s", depth_));
  if (!status_.ok()) {
    Undo();
    return status_;
  }
  open_ = false;
  --database_.transaction_depth_;
  if (depth_ == 0) {
    ++database_.stats_.commits;
    database_.stats_.commit_seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return absl::OkStatus();
}

void Transaction::Undo() {
  open_ = false;
  --database_.transaction_depth_;
  // Some errors (a full disk among them) have rolled everything back already.
  if (sqlite3_get_autocommit(database_.connection_)) return;
  const std::string undo =
      depth_ == 0 ? "ROLLBACK" : absl::StrCat("ROLLBACK TO s", depth_, "; RELEASE s", depth_);
  if (absl::Status status = database_.Execute(undo); !status.ok() && status_.ok()) status_ = status;
}

}  // namespace mozgach

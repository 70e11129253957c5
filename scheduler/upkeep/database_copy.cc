#include "scheduler/upkeep/database_copy.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "failpoint/failpoint.h"
#include "registry/migration.h"
#include "registry/query.h"
#include "scheduler/queries.h"
#include "scheduler/state/schema.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;

namespace {

absl::Status CheckWith(const char* check, Database& database) {
  std::string problems;
  Query rows(database, check);
  while (rows.Next()) absl::StrAppend(&problems, problems.empty() ? "" : "; ", rows.Text(0));
  RETURN_IF_ERROR(rows.status());
  if (problems.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(database.path(), " is damaged: ", problems, "; restore it from a backup"));
}

}  // namespace

absl::Status CopyDatabase(Database& source, const fs::path& target) {
  {
    ASSIGN_OR_RETURN(const auto copy, Database::Open(target.string()));
    RETURN_IF_ERROR(copy->CopyFrom(source));
    RETURN_IF_ERROR(copy->Execute("PRAGMA journal_mode=DELETE"));
    RETURN_IF_ERROR(CheckIntegrity(*copy));
  }
  RETURN_IF_ERROR(DURABLE("scheduler.database_copy.sync", SyncFile(target)));
  return DURABLE("scheduler.database_copy.sync_name", SyncDirectory(target.parent_path()));
}

absl::Status CheckIntegrity(Database& database) { return CheckWith(sql::kIntegrity, database); }

absl::Status CheckQuickly(Database& database) {
  const absl::Status status = CheckWith(sql::kQuickCheck, database);
  if (!absl::IsDataLoss(status) || absl::StrContains(status.message(), " is damaged: ")) {
    return status;
  }
  return absl::DataLossError(absl::StrCat(
      database.path(), " is damaged: SQLite cannot read all of it; restore it from a backup"));
}

absl::Status WriteNothingNew(Database& database) { return Run(database, sql::kWriteNothingNew); }

absl::StatusOr<int64_t> KnownSchemaOf(Database& database) {
  Query row(database, sql::kSchemaNumber);
  const int64_t schema = row.Next() ? row.Int(0) : 0;
  RETURN_IF_ERROR(row.status());
  const int64_t newest = Schema().back().number;
  if (schema >= 1 && schema <= newest) return schema;
  return absl::FailedPreconditionError(absl::StrCat(
      database.path(), schema < 1 ? " is not a database of a mozgach-scheduler" : " has schema ",
      schema < 1 ? ""
                 : absl::StrCat(schema, ", this program knows schemas up to ", newest,
                                ": use the mozgach-scheduler that wrote it, or a newer one")));
}

absl::StatusOr<std::unique_ptr<Database>> UpgradedCopy(Database& source) {
  RETURN_IF_ERROR(KnownSchemaOf(source).status());
  ASSIGN_OR_RETURN(auto copy, Database::Open(""));
  RETURN_IF_ERROR(copy->CopyFrom(source));
  RETURN_IF_ERROR(Migrate(*copy, Schema()));
  return copy;
}

}  // namespace mozgach

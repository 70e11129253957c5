#include "registry/migration.h"

#include "absl/strings/str_cat.h"
#include "failpoint/failpoint.h"
#include "registry/query.h"

namespace mozgach {
namespace {

constexpr char kUserVersion[] = "PRAGMA user_version";

absl::StatusOr<int> SchemaOf(Database& database) {
  Query version(database, kUserVersion);
  if (version.Next()) return static_cast<int>(version.Int(0));
  return version.status();
}

absl::Status Apply(Database& database, const Migration& migration) {
  Transaction transaction(database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(database.Execute(migration.sql));
  RETURN_IF_ERROR(database.Execute(absl::StrCat("PRAGMA user_version = ", migration.number)));
  return COMMIT("registry.schema.migrate", transaction);
}

}  // namespace

absl::Status Migrate(Database& database, const std::vector<Migration>& migrations) {
  ASSIGN_OR_RETURN(const int schema, SchemaOf(database));
  const int newest = migrations.empty() ? 0 : migrations.back().number;
  if (schema > newest) {
    return absl::FailedPreconditionError(
        absl::StrCat(database.path(), " has schema ", schema, ", this program knows schemas up to ",
                     newest, ": it was written by a newer mozgach-scheduler, start that one"));
  }
  for (const Migration& migration : migrations) {
    if (migration.number <= schema) continue;
    if (absl::Status status = Apply(database, migration); !status.ok()) {
      return Annotate(status,
                      absl::StrCat("migration ", migration.number, " (", migration.name, ")"));
    }
  }
  return absl::OkStatus();
}

}  // namespace mozgach

#include "registry/version_rows.h"

#include "absl/strings/str_cat.h"
#include "registry/queries.h"
#include "registry/query.h"

namespace mozgach {
namespace sql = registry_sql;
namespace {

Version VersionFrom(const Query& row) {
  Version version;
  version.domain = row.Text(0);
  version.number = row.Int(1);
  version.job = row.Int(2);
  version.attempt = row.Int(3);
  version.base = row.Text(4);
  version.base_digest = row.Text(5);
  version.spec_digest = row.Text(6);
  version.dataset_digest = row.Text(7);
  version.code_version = row.Text(8);
  version.metrics_json = row.Text(9);
  version.published_at = FromMillis(row.Int(10));
  version.size_bytes = static_cast<uint64_t>(row.Int(11));
  return version;
}

absl::StatusOr<std::vector<Version>> VersionsFrom(Query& rows) {
  std::vector<Version> versions;
  while (rows.Next()) versions.push_back(VersionFrom(rows));
  RETURN_IF_ERROR(rows.status());
  return versions;
}

}  // namespace

absl::StatusOr<int64_t> VersionRows::NextNumber(const std::string& domain) {
  Query next(database_, sql::kNextNumber, domain);
  if (next.Next()) return next.Int(0);
  return next.status();
}

absl::Status VersionRows::UseUp(const std::string& domain, int64_t number) {
  return Run(database_, sql::kTakeNumber, domain, number);
}

absl::Status VersionRows::InsertPublishing(const Version& v) {
  RETURN_IF_ERROR(UseUp(v.domain, v.number));
  RETURN_IF_ERROR(Run(database_, sql::kInsertVersion, v.domain, v.number, v.job, v.attempt, v.base,
                      v.base_digest, v.spec_digest, v.dataset_digest, v.code_version,
                      v.metrics_json, ToMillis(v.published_at), v.size_bytes));
  for (const VersionFile& file : v.files) {
    RETURN_IF_ERROR(
        Run(database_, sql::kInsertFile, v.domain, v.number, file.path, file.sha256, file.size));
  }
  return absl::OkStatus();
}

absl::Status VersionRows::MarkPublished(const Version& version) {
  ASSIGN_OR_RETURN(const bool marked,
                   RunGuarded(database_, sql::kMarkPublished, version.domain, version.number));
  if (!marked) {
    return absl::FailedPreconditionError(
        absl::StrCat(version.domain, " ", VersionName(version.number), " is not being published"));
  }
  return Run(database_, sql::kPointLatest, version.domain, version.number);
}

absl::Status VersionRows::DropUnfinished(const Version& version) {
  RETURN_IF_ERROR(Run(database_, sql::kDropFiles, version.domain, version.number));
  return Run(database_, sql::kDropUnfinished, version.domain, version.number);
}

absl::Status VersionRows::AddFiles(Version& version) {
  Query files(database_, sql::kFilesOf, version.domain, version.number);
  while (files.Next()) {
    version.files.push_back({files.Text(0), files.Text(1), static_cast<uint64_t>(files.Int(2))});
  }
  return files.status();
}

absl::Status VersionRows::AddAliases(Version& version) {
  Query aliases(database_, sql::kAliasesOf, version.domain, version.number);
  while (aliases.Next()) version.aliases.push_back(aliases.Text(0));
  return aliases.status();
}

absl::StatusOr<std::vector<Version>> VersionRows::Unfinished() {
  Query rows(database_, sql::kUnfinishedVersions);
  ASSIGN_OR_RETURN(std::vector<Version> versions, VersionsFrom(rows));
  for (Version& version : versions) RETURN_IF_ERROR(AddFiles(version));
  return versions;
}

absl::StatusOr<std::vector<Version>> VersionRows::List(const std::string& domain) {
  std::vector<Version> versions;
  if (domain.empty()) {
    Query rows(database_, sql::kEveryVersion);
    ASSIGN_OR_RETURN(versions, VersionsFrom(rows));
  } else {
    Query rows(database_, sql::kVersionsOfDomain, domain);
    ASSIGN_OR_RETURN(versions, VersionsFrom(rows));
  }
  for (Version& version : versions) RETURN_IF_ERROR(AddAliases(version));
  return versions;
}

absl::StatusOr<Version> VersionRows::Get(const std::string& domain, const std::string& name) {
  std::optional<int64_t> number = ParseVersionName(name);
  if (!number.has_value()) {
    ASSIGN_OR_RETURN(number, AliasNumber(domain, name.empty() ? "latest" : name));
  }
  Query row(database_, sql::kVersion, domain, number);
  if (!row.Next()) {
    RETURN_IF_ERROR(row.status());
    const std::string what = name.empty() ? "no version" : absl::StrCat("no version '", name, "'");
    return absl::NotFoundError(absl::StrCat("domain '", domain, "' has ", what,
                                            "; `mozgachctl adapters ls` shows what there is"));
  }
  Version version = VersionFrom(row);
  RETURN_IF_ERROR(AddFiles(version));
  RETURN_IF_ERROR(AddAliases(version));
  return version;
}

absl::StatusOr<std::optional<int64_t>> VersionRows::NumberOfJob(int64_t job) {
  Query row(database_, sql::kVersionOfJob, job);
  if (row.Next()) return std::optional<int64_t>(row.Int(0));
  RETURN_IF_ERROR(row.status());
  return std::optional<int64_t>();
}

absl::Status VersionRows::PointAlias(const std::string& domain, const std::string& alias,
                                     int64_t number) {
  return Run(database_, sql::kPointAlias, domain, alias, number);
}

absl::Status VersionRows::RemoveAlias(const std::string& domain, const std::string& alias) {
  return Run(database_, sql::kRemoveAlias, domain, alias);
}

absl::StatusOr<std::optional<int64_t>> VersionRows::AliasNumber(const std::string& domain,
                                                                const std::string& alias) {
  Query row(database_, sql::kAliasNumber, domain, alias);
  if (row.Next()) return std::optional<int64_t>(row.Int(0));
  RETURN_IF_ERROR(row.status());
  return std::optional<int64_t>();
}

absl::StatusOr<std::vector<VersionRows::Alias>> VersionRows::Aliases() {
  std::vector<Alias> aliases;
  Query rows(database_, sql::kEveryAlias);
  while (rows.Next()) aliases.emplace_back(rows.Text(0), rows.Text(1), rows.Int(2));
  RETURN_IF_ERROR(rows.status());
  return aliases;
}

}  // namespace mozgach

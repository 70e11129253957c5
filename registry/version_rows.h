// VersionRows are the versions and aliases as rows: the truth that the directories follow.
//
// Writes join the transaction that is open on the database, if any.  One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "registry/database.h"
#include "registry/version.h"

namespace mozgach {

class VersionRows {
 public:
  explicit VersionRows(Database& database) : database_(database) {}

  // The number that the domain's next version gets.
  absl::StatusOr<int64_t> NextNumber(const std::string& domain);

  // Numbers up to this one are not given any more.
  absl::Status UseUp(const std::string& domain, int64_t number);

  // The version and its files, in state `publishing`; its number is used up from here on.
  absl::Status InsertPublishing(const Version& version);
  // `publishing` → `published`, and `latest` moves to it unless it points at a later one.
  absl::Status MarkPublished(const Version& version);
  // Forgets a version that was never revealed.  Its number stays used up.
  absl::Status DropUnfinished(const Version& version);

  absl::StatusOr<std::vector<Version>> Unfinished();  // with files
  // Without files.  Empty `domain`: of every domain.
  absl::StatusOr<std::vector<Version>> List(const std::string& domain);
  // `name` is v0007, 7 or an alias; empty: latest.  With files.  NOT_FOUND says what there is.
  absl::StatusOr<Version> Get(const std::string& domain, const std::string& name);
  absl::StatusOr<std::optional<int64_t>> NumberOfJob(int64_t job);

  absl::Status PointAlias(const std::string& domain, const std::string& alias, int64_t number);
  absl::Status RemoveAlias(const std::string& domain, const std::string& alias);
  absl::StatusOr<std::optional<int64_t>> AliasNumber(const std::string& domain,
                                                     const std::string& alias);
  using Alias = std::tuple<std::string, std::string, int64_t>;  // domain, alias, number
  absl::StatusOr<std::vector<Alias>> Aliases();

 private:
  absl::Status AddFiles(Version& version);
  absl::Status AddAliases(Version& version);

  Database& database_;
};

}  // namespace mozgach

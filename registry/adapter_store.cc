#include "registry/adapter_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "failpoint/failpoint.h"
#include "registry/file_name.h"

namespace mozgach {

AdapterStore::AdapterStore(Database& database, std::filesystem::path root)
    : database_(database), rows_(database), files_(std::move(root)) {}

absl::Status AdapterStore::Recover() {
  RETURN_IF_ERROR(files_.Open());
  ASSIGN_OR_RETURN(const std::vector<Version> unfinished, rows_.Unfinished());
  std::set<std::pair<int64_t, int64_t>> alive;
  for (const Version& version : unfinished) alive.emplace(version.job, version.attempt);
  RETURN_IF_ERROR(files_.Sweep([&](int64_t job, int64_t attempt) {
    return alive.count({job, attempt}) > 0;
  }));
  RETURN_IF_ERROR(UseUpVisibleNumbers());
  // A link that cannot be made does not stop the fleet; verify reports it.
  if (absl::Status status = SetLinksRight(); !status.ok()) {
    spdlog::error("{}", std::string(status.message()));
  }
  return absl::OkStatus();
}

absl::Status AdapterStore::PointLink(const std::string& domain, const std::string& alias,
                                     int64_t number) {
  const absl::Status made = files_.PointAlias(domain, alias, number);
  if (!made.ok()) links_behind_ = true;
  return Annotate(made, absl::StrCat("the alias ", alias, " of ", domain));
}

absl::Status AdapterStore::SetLinksRight() {
  ASSIGN_OR_RETURN(const std::vector<VersionRows::Alias> aliases, rows_.Aliases());
  links_behind_ = false;
  absl::Status first;
  for (const auto& [domain, alias, number] : aliases) {
    // A version that somebody removed by hand gets no dangling link.
    if (files_.IsVisible(domain, number)) first.Update(PointLink(domain, alias, number));
  }
  return first;
}

absl::Status AdapterStore::UseUpVisibleNumbers() {
  ASSIGN_OR_RETURN(const auto visible, files_.HighestNumbers());
  for (const auto& [domain, number] : visible) {
    ASSIGN_OR_RETURN(const int64_t next, rows_.NextNumber(domain));
    if (next <= number) RETURN_IF_ERROR(rows_.UseUp(domain, number));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> AdapterStore::HighestUnknownJob() {
  return files_.HighestJob([this](const std::string& domain) { return rows_.NextNumber(domain); });
}

absl::Status AdapterStore::Stage(Version& version, const BlobStore& blobs) {
  ASSIGN_OR_RETURN(version.number, rows_.NextNumber(version.domain));
  RETURN_IF_ERROR(files_.Stage(version, blobs));
  std::sort(version.files.begin(), version.files.end(),
            [](const VersionFile& a, const VersionFile& b) { return a.path < b.path; });
  return absl::OkStatus();
}

absl::Status AdapterStore::FollowRow(const std::string& domain, const std::string& alias) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> number, rows_.AliasNumber(domain, alias));
  return number.has_value() ? PointLink(domain, alias, *number) : absl::OkStatus();
}

absl::StatusOr<std::optional<int64_t>> AdapterStore::VisibleVersionOfJob(const std::string& domain,
                                                                         int64_t job) {
  ASSIGN_OR_RETURN(std::optional<int64_t> number, rows_.NumberOfJob(job));
  if (number.has_value() && !files_.IsVisible(domain, *number)) number.reset();
  return number;
}

absl::StatusOr<Version> AdapterStore::SetAlias(
    const std::string& domain, const std::string& alias, const std::string& name,
    const std::function<absl::Status(const Version&)>& also) {
  RETURN_IF_ERROR(CheckAliasName(alias));
  if (alias == "latest") {
    return absl::InvalidArgumentError(
        "'latest' always points at the newest version; choose another");
  }
  ASSIGN_OR_RETURN(const Version version, rows_.Get(domain, name.empty() ? alias : name));
  const auto write = [&]() -> absl::Status {
    Transaction transaction(database_);
    RETURN_IF_ERROR(transaction.status());
    RETURN_IF_ERROR(name.empty() ? rows_.RemoveAlias(domain, alias)
                                 : rows_.PointAlias(domain, alias, version.number));
    if (also != nullptr) RETURN_IF_ERROR(also(version));
    return COMMIT("registry.alias.set", transaction);
  };
  // Nobody sets right a link without a row: it goes first, and comes back if its row stays.
  if (name.empty()) RETURN_IF_ERROR(files_.RemoveAlias(domain, alias));
  const absl::Status written = write();
  if (absl::Status status = FollowRow(domain, alias); !status.ok()) {
    spdlog::warn("{}; it is tried again", std::string(status.message()));
  }
  RETURN_IF_ERROR(written);
  return rows_.Get(domain, VersionName(version.number));
}

}  // namespace mozgach

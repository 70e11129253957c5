// The AdapterStore publishes versions, exactly once and never in part.  Publishing is a redo log:
//
//   Stage            files linked into a staging directory and synced; nothing is decided yet
//   transaction 1    InsertPublishing, together with the caller's write that closes the attempt
//   Reveal           the staging directory is renamed to adapters/<domain>/v0001
//   transaction 2    MarkPublished (`latest` moves), together with the caller's `succeeded`
//   LinkAliases      the symbolic links follow the rows
//
// A crash before transaction 1 leaves a directory that Recover sweeps; a crash after it leaves a
// row that Unfinished lists, and the caller goes on at Reveal.  Each step may be done again.
//
// The transactions are the caller's, on the database that it shares with the store.  One thread at
// a time.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "registry/blob_store.h"
#include "registry/database.h"
#include "registry/version.h"
#include "registry/version_files.h"
#include "registry/version_rows.h"

namespace mozgach {

class AdapterStore {
 public:
  AdapterStore(Database& database, std::filesystem::path root);

  // Makes the directories, sweeps dead staging directories and sets every alias link right. Numbers
  // of versions that can be seen are used up, whether or not there is a row: rows may come from a
  // backup.
  absl::Status Recover();

  // The highest job of which files lie here that no row knows; 0: none.  Recover uses up the
  // version numbers by which they are found: ask before.
  absl::StatusOr<int64_t> HighestUnknownJob();

  // Gives `version` its number, fills in its manifest and stages its files.  REQUIRES: checked
  // files (CheckVersionFiles) whose blobs are complete.
  absl::Status Stage(Version& version, const BlobStore& blobs);
  absl::Status InsertPublishing(const Version& version) { return rows_.InsertPublishing(version); }
  // NOT_FOUND: the staged files are gone, and the version with them: Abandon it.
  absl::Status Reveal(const Version& version) { return files_.Reveal(version); }
  absl::Status MarkPublished(const Version& version) { return rows_.MarkPublished(version); }
  absl::Status LinkAliases(const Version& version) { return FollowRow(version.domain, "latest"); }
  // Whether a link could not be made, so that it does not follow its row; SetLinksRight tries
  // again.
  bool links_behind() const { return links_behind_; }
  absl::Status SetLinksRight();
  absl::Status Abandon(const Version& version) { return rows_.DropUnfinished(version); }
  absl::StatusOr<std::vector<Version>> Unfinished() { return rows_.Unfinished(); }

  absl::StatusOr<std::vector<Version>> List(const std::string& domain) {
    return rows_.List(domain);
  }
  absl::StatusOr<Version> Get(const std::string& domain, const std::string& name) {
    return rows_.Get(domain, name);
  }
  // Returns the number of the version that a job published, if its directory exists.
  absl::StatusOr<std::optional<int64_t>> VisibleVersionOfJob(const std::string& domain,
                                                             int64_t job);

  // Points `alias` at `name`, or removes it where `name` is empty; returns the version it points
  // (or pointed) at.  `also` writes something in the same transaction.  `latest` is the store's
  // own: INVALID_ARGUMENT.
  absl::StatusOr<Version> SetAlias(
      const std::string& domain, const std::string& alias, const std::string& name,
      const std::function<absl::Status(const Version&)>& also = nullptr);

  const VersionFiles& files() const { return files_; }

 private:
  absl::Status UseUpVisibleNumbers();
  absl::Status PointLink(const std::string& domain, const std::string& alias, int64_t number);
  // The link of an alias that has a row.
  absl::Status FollowRow(const std::string& domain, const std::string& alias);

  Database& database_;
  VersionRows rows_;
  VersionFiles files_;
  bool links_behind_ = false;
};

}  // namespace mozgach

// VersionFiles are the directories of adapter versions: the only place where the registry touches
// the disk.  Everything that can be seen below adapters/ is complete.
//
//   ROOT/adapters/<domain>/v0001/…        immutable, files 0444
//   ROOT/adapters/<domain>/latest → v0001
//   ROOT/staging/<job>-<attempt>/…        being made ready; never seen by readers
//
// One thread at a time, but for the const methods.  REQUIRES: domains, aliases and file names have
// been checked.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/status.h"
#include "registry/blob_store.h"
#include "registry/version.h"

namespace mozgach {

class VersionFiles {
 public:
  explicit VersionFiles(std::filesystem::path root) : root_(std::move(root)) {}

  // Makes the directories.
  absl::Status Open() const;

  std::filesystem::path Directory(const std::string& domain, int64_t number) const;

  // Makes the staging directory of (version.job, version.attempt) hold version.files out of `blobs`
  // (links, no copies, where the file system can), metrics.json and manifest.json, all synced; adds
  // the latter two to version.files.  What an earlier try left there is dropped.
  absl::Status Stage(Version& version, const BlobStore& blobs) const;

  // Renames the staged directory to its place.  OK as well when that has happened already;
  // NOT_FOUND when there is neither, or when the place is taken by another version.
  absl::Status Reveal(const Version& version) const;

  // The highest number that a directory of each domain has, whatever the rows say.
  absl::StatusOr<std::map<std::string, int64_t>> HighestNumbers() const;

  // The highest job that staged something, or whose manifest lies in a version of a number from
  // `first_unknown` of its domain on; 0: none.
  absl::StatusOr<int64_t> HighestJob(
      const std::function<absl::StatusOr<int64_t>(const std::string& domain)>& first_unknown) const;

  bool IsVisible(const std::string& domain, int64_t number) const;

  // Removes a version that has no row any more: hides it in one step, then deletes it. A crash may
  // leave a part in staging/, which is swept later. OK if it does not exist.
  absl::Status Remove(const std::string& domain, int64_t number) const;

  // Makes ROOT/adapters/<domain>/<alias> a symbolic link to the version, by rename.  What is there
  // and no link is moved aside, to .<alias>.displaced-N.
  absl::Status PointAlias(const std::string& domain, const std::string& alias,
                          int64_t number) const;
  // What is there and no link is moved aside.
  absl::Status RemoveAlias(const std::string& domain, const std::string& alias) const;

  // Removes what is staged for attempts that `keep` does not want.
  absl::Status Sweep(const std::function<bool(int64_t job, int64_t attempt)>& keep) const;

  // A published file, for reading.  FAILED_PRECONDITION: a symbolic link, or no regular file, is in
  // its place or in that of a directory above it.
  absl::StatusOr<FileDescriptor> OpenFile(const Version& version, const std::string& path) const;

  // What differs between the directory and `version.files`: missing, changed and unknown files, one
  // line each; empty when every byte is right.
  absl::StatusOr<std::vector<std::string>> Verify(const Version& version) const;
  // Those of version.aliases whose link is not there or points elsewhere, one line each.
  std::vector<std::string> VerifyAliases(const Version& version) const;

 private:
  std::filesystem::path StagingOf(int64_t job, int64_t attempt) const;

  const std::filesystem::path root_;
};

}  // namespace mozgach

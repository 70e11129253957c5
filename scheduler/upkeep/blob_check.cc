// Blobs: those that are needed against those that are there.
#include <sys/stat.h>

#include <chrono>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/size_text.h"
#include "registry/query.h"
#include "scheduler/jobs/kept_blobs.h"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/queries.h"
#include "scheduler/upkeep/consistency_check.h"
#include "scheduler/upkeep/data_directory.h"
#include "scheduler/upkeep/file_collector.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace sql = scheduler_sql;
namespace {

constexpr char kHowDatasetsComeBack[] =
    "submit its domain again: mozgachctl sends what is missing or damaged";
constexpr char kHowBasesComeBack[] =
    "mozgachctl bases add DIR of that base sends what is missing or damaged";

std::string WhatIsWrong(const fs::path& path, const std::string& sha256, int64_t size, bool deep) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return "is missing";
  if (info.st_size != size) return absl::StrCat("has ", info.st_size, " bytes, not ", size);
  if (!deep) return "";
  const auto digest = Sha256OfFile(path);
  if (!digest.ok()) return std::string(digest.status().message());
  return *digest == sha256 ? "" : "its bytes are damaged";
}

absl::Status CheckNeeded(Database& database, const fs::path& root, bool deep,
                         ConsistencyCheck& check) {
  std::set<std::string> seen;
  Query rows(database, sql::kBlobsNeededNow);
  while (rows.Next()) {
    const std::string sha256 = rows.Text(0);
    if (!IsSha256Hex(sha256) || !seen.insert(sha256).second) continue;
    ++check.blobs;
    const fs::path path = root / sha256.substr(0, 2) / sha256;
    const std::string wrong = WhatIsWrong(path, sha256, rows.Int(1), deep);
    if (wrong.empty()) continue;
    const bool base = rows.Text(3) == "base";
    check.findings.push_back({Finding::Weight::kProblem, path.string(),
                              absl::StrCat(wrong, ": ", rows.Text(2)),
                              base ? kHowBasesComeBack : kHowDatasetsComeBack});
  }
  return rows.status();
}

WallTime WrittenAt(const fs::path& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 ? FromMillis(int64_t{info.st_mtime} * 1000)
                                          : WallTime::max();
}

// Files of one kind that nothing needs.
struct Unneeded {
  int64_t files = 0;
  uint64_t bytes = 0;

  void Add(uint64_t size) {
    ++files;
    bytes += size;
  }
  std::string Show(const char* one, const char* many) const {
    return absl::StrCat(files, files == 1 ? one : many, FormatSize(bytes));
  }
};

// Only sums: single files do not matter.  What is old enough to go is what `mozgachctl gc` takes.
class UnneededFiles {
 public:
  UnneededFiles(const fs::path& root, int64_t days_kept, WallTime now)
      : root_(root), days_kept_(days_kept), before_(UnneededBlobsGoBefore(days_kept, now)) {}

  void AddBlob(const fs::path& path, uint64_t size) {
    (WrittenAt(path) < before_ ? old_blobs_ : new_blobs_).Add(size);
  }
  void AddUpload(const fs::path& path, uint64_t size) {
    (WrittenAt(path) < before_ ? old_uploads_ : new_uploads_).Add(size);
  }

  void Report(ConsistencyCheck& check) const {
    const auto note = [&](const Unneeded& found, const char* one, const char* many,
                          const std::string& advice) {
      if (found.files == 0) return;
      check.findings.push_back(
          {Finding::Weight::kNote, root_.string(), found.Show(one, many), advice});
    };
    const std::string now = "`mozgachctl gc` removes what is so old, and so does the scheduler";
    const std::string later = absl::StrCat(
        "nothing to do: `mozgachctl gc` and the scheduler remove it when it is ",
        days_kept_ == 0 ? "an hour" : absl::StrCat(days_kept_, days_kept_ == 1 ? " day" : " days"),
        " old (blob_days_kept)");
    note(old_blobs_, " blob that nothing needs, ", " blobs that nothing needs, ", now);
    note(new_blobs_, " new blob that nothing needs, ", " new blobs that nothing needs, ", later);
    note(old_uploads_, " upload that has not ended, ", " uploads that have not ended, ", now);
    note(new_uploads_, " new upload that has not ended, ", " new uploads that have not ended, ",
         later);
  }

 private:
  const fs::path root_;
  const int64_t days_kept_;
  const WallTime before_;
  Unneeded old_blobs_, new_blobs_, old_uploads_, new_uploads_;
};

absl::Status CheckUnneeded(Database& database, const fs::path& root, int64_t days_kept,
                           WallTime now, ConsistencyCheck& check) {
  std::error_code error;
  if (!fs::exists(root, error)) return absl::OkStatus();  // reported with what is needed
  UnneededFiles unneeded(root, days_kept, now);
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(root));
  for (const std::string& file : files) {
    std::error_code gone;
    const uint64_t bytes = fs::file_size(root / file, gone);
    if (gone) continue;
    const std::string name = fs::path(file).filename().string();
    if (file == kWriteProbeName) continue;  // WriteWatch is writing
    if (absl::StartsWith(file, "partial/")) {
      unneeded.AddUpload(root / file, bytes);
      continue;
    }
    if (!IsSha256Hex(name)) {
      check.findings.push_back({Finding::Weight::kNote, (root / file).string(),
                                "is nothing of the blob store's", "move it elsewhere"});
      continue;
    }
    ASSIGN_OR_RETURN(const bool needed, IsBlobNeeded(database, name));
    if (!needed) unneeded.AddBlob(root / file, bytes);
  }
  unneeded.Report(check);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBlobs(Database& database, const ConsistencyCheckOptions& options, WallTime now,
                        ConsistencyCheck& check) {
  const fs::path root = options.data / "blobs";
  RETURN_IF_ERROR(CheckNeeded(database, root, options.deep, check));
  return CheckUnneeded(database, root, options.blob_days_kept, now, check);
}

}  // namespace mozgach

// Blobs: those that are needed against those that are there.
#include <sys/stat.h>

#include <chrono>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "registry/query.h"
#include "scheduler/base_dispatch.h"
#include "scheduler/examination.h"
#include "scheduler/kept_blobs.h"
#include "scheduler/queries.h"

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

absl::Status ExamineNeeded(Database& database, const fs::path& root, bool deep,
                           Examination& examination) {
  std::set<std::string> seen;
  Query rows(database, sql::kBlobsNeededNow);
  while (rows.Next()) {
    const std::string sha256 = rows.Text(0);
    if (!IsSha256Hex(sha256) || !seen.insert(sha256).second) continue;
    ++examination.blobs;
    const fs::path path = root / sha256.substr(0, 2) / sha256;
    const std::string wrong = WhatIsWrong(path, sha256, rows.Int(1), deep);
    if (wrong.empty()) continue;
    const bool base = rows.Text(3) == "base";
    examination.findings.push_back({Finding::Weight::kProblem, path.string(),
                                    absl::StrCat(wrong, ": ", rows.Text(2)),
                                    base ? kHowBasesComeBack : kHowDatasetsComeBack});
  }
  return rows.status();
}

// Of what nobody needs only the sum is worth a line.
absl::Status ExamineUnneeded(Database& database, const fs::path& root, Examination& examination) {
  int64_t unneeded = 0, uploads = 0;
  uint64_t unneeded_bytes = 0, upload_bytes = 0;
  std::error_code error;
  if (!fs::exists(root, error)) return absl::OkStatus();  // what is needed was told of
  ASSIGN_OR_RETURN(const std::vector<std::string> files, ListFiles(root));
  for (const std::string& file : files) {
    std::error_code gone;
    const uint64_t bytes = fs::file_size(root / file, gone);
    if (gone) continue;
    const std::string name = fs::path(file).filename().string();
    if (absl::StartsWith(file, "partial/")) {
      ++uploads;
      upload_bytes += bytes;
      continue;
    }
    if (!IsSha256Hex(name)) {
      examination.findings.push_back({Finding::Weight::kNote, (root / file).string(),
                                      "is nothing of the blob store's", "move it elsewhere"});
      continue;
    }
    ASSIGN_OR_RETURN(const bool needed, IsBlobNeeded(database, name));
    if (needed) continue;
    ++unneeded;
    unneeded_bytes += bytes;
  }
  const auto note = [&](int64_t count, uint64_t bytes, const char* one, const char* many) {
    if (count == 0) return;
    examination.findings.push_back(
        {Finding::Weight::kNote, root.string(),
         absl::StrCat(count, count == 1 ? one : many, ShowSize(bytes)),
         "leave it to the scheduler, which removes what is older than blob_days_kept; mozgachctl "
         "gc --dry-run lists that"});
  };
  note(unneeded, unneeded_bytes, " blob that nothing needs, ", " blobs that nothing needs, ");
  note(uploads, upload_bytes, " upload that has not ended, ", " uploads that have not ended, ");
  return absl::OkStatus();
}

}  // namespace

absl::Status ExamineBlobs(Database& database, const ExaminationOptions& options,
                          Examination& examination) {
  const fs::path root = options.data / "blobs";
  RETURN_IF_ERROR(ExamineNeeded(database, root, options.deep, examination));
  return ExamineUnneeded(database, root, examination);
}

}  // namespace mozgach

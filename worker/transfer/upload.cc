#include "worker/transfer/upload.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "worker/transfer/persistence.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

// An adapter is a handful of files; more is not one.
constexpr size_t kFilesMax = 1'000;

absl::StatusOr<std::vector<v1::File>> Inventory(const fs::path& directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFiles(directory));
  if (names.empty() || names.size() > kFilesMax) {
    return absl::FailedPreconditionError(absl::StrCat("the trainer left ", names.size(),
                                                      " files in ", directory.string(),
                                                      "; an adapter has 1 to ", kFilesMax));
  }
  std::vector<v1::File> files;
  for (const std::string& name : names) {
    v1::File file;
    file.set_path(name);
    std::error_code error;
    file.set_size(fs::file_size(directory / name, error));
    if (error) {
      return SystemError(error.value(), absl::StrCat("look at ", (directory / name).string()));
    }
    ASSIGN_OR_RETURN(*file.mutable_sha256(), Sha256OfFile(directory / name));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

absl::StatusOr<std::vector<v1::File>> UploadDirectory(SchedulerClient& client,
                                                      const fs::path& directory,
                                                      const std::function<void(uint64_t)>& sent,
                                                      std::stop_token stop) {
  ASSIGN_OR_RETURN(std::vector<v1::File> files, Inventory(directory));
  std::vector<std::string> digests;
  for (const v1::File& file : files) digests.push_back(file.sha256());
  std::vector<v1::StatBlobsResponse::Blob> known;
  RETURN_IF_ERROR(
      Persist(stop, "ask which files of the adapter the scheduler has", [&]() -> absl::Status {
        ASSIGN_OR_RETURN(known, client.StatBlobs(digests, stop));
        return absl::OkStatus();
      }));
  for (size_t i = 0; i < files.size(); ++i) {
    if (known[i].complete()) continue;
    uint64_t offset = known[i].received_bytes();
    const std::string what = absl::StrCat("upload ", files[i].path());
    RETURN_IF_ERROR(Persist(stop, what, [&]() -> absl::Status {
      const absl::Status status =
          client.UploadBlob(files[i], directory / files[i].path(), offset, sent, stop);
      if (status.ok()) return status;
      // Where the next try goes on.
      const auto now = client.StatBlobs({files[i].sha256()}, stop);
      if (now.ok() && now->front().complete()) return absl::OkStatus();
      if (now.ok()) offset = now->front().received_bytes();
      return status;
    }));
  }
  return files;
}

}  // namespace mozgach

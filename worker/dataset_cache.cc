#include "worker/dataset_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "worker/persistence.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

absl::Status Append(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(errno, absl::StrCat("write ", path.string()));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DatasetPaths> DatasetCache::Fetch(const std::vector<v1::Dataset>& datasets,
                                                 std::stop_token stop) {
  DatasetPaths paths;
  for (const v1::Dataset& dataset : datasets) {
    ASSIGN_OR_RETURN(const fs::path path, FetchOne(dataset, stop));
    switch (dataset.role()) {
      case v1::Dataset::VALIDATION:
        paths.validation = path.string();
        break;
      case v1::Dataset::TEST:
        paths.test = path.string();
        break;
      default:
        paths.train.push_back(path.string());
    }
  }
  return paths;
}

absl::StatusOr<fs::path> DatasetCache::FetchOne(const v1::Dataset& dataset, std::stop_token stop) {
  if (!IsSha256Hex(dataset.sha256())) {
    return absl::InvalidArgumentError(
        absl::StrCat("the dataset ", dataset.name(), " has no SHA-256 digest for a name"));
  }
  const fs::path path = folder_ / dataset.sha256();
  std::error_code error;
  if (fs::file_size(path, error) == dataset.size() && !error) return path;
  fs::path part = path;
  part += ".part";
  // Our own full disk is not the scheduler's: no try is repeated for it.
  absl::Status local;
  const absl::Status fetched =
      Persist(stop, absl::StrCat("fetch the dataset ", dataset.name()), [&]() -> absl::Status {
        const absl::Status status = Download(dataset, part, stop);
        if (!absl::IsResourceExhausted(status)) return status;
        local = status;
        return absl::OkStatus();
      });
  RETURN_IF_ERROR(Annotate(local, absl::StrCat("keep the dataset ", dataset.name())));
  RETURN_IF_ERROR(fetched);
  RETURN_IF_ERROR(RenameDurably(part, path));
  return path;
}

absl::Status DatasetCache::Download(const v1::Dataset& dataset, const fs::path& part,
                                    std::stop_token stop) {
  FileDescriptor fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) return SystemError(errno, absl::StrCat("create ", part.string()));
  uint64_t have = static_cast<uint64_t>(::lseek(fd.get(), 0, SEEK_END));
  if (have < dataset.size()) {
    RETURN_IF_ERROR(client_.DownloadBlob(
        dataset, have,
        [&](std::string_view bytes) -> absl::Status {
          have += bytes.size();
          if (have > dataset.size()) {
            return absl::DataLossError(
                absl::StrCat("more than its ", dataset.size(), " bytes came"));
          }
          return Append(fd.get(), bytes, part);
        },
        stop));
  }
  if (have < dataset.size()) return absl::UnavailableError("the download ended early");
  if (::fsync(fd.get()) != 0) return SystemError(errno, absl::StrCat("fsync ", part.string()));
  ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(part));
  if (have == dataset.size() && digest == dataset.sha256()) return absl::OkStatus();
  RETURN_IF_ERROR(RemoveAll(part));
  return absl::DataLossError("its bytes do not match their digest");
}

}  // namespace mozgach

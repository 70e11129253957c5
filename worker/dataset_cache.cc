#include "worker/dataset_cache.h"

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "worker/blob_fetch.h"

namespace mozgach {
namespace fs = std::filesystem;

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
  RETURN_IF_ERROR(FetchBlob(
      client_, {dataset.sha256(), dataset.size()}, absl::StrCat("the dataset ", dataset.name()),
      part, path, [](uint64_t) {}, stop));
  return path;
}

}  // namespace mozgach

#include "worker/transfer/dataset_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/log.h"
#include "worker/transfer/blob_fetch.h"

namespace mozgach {
namespace fs = std::filesystem;

absl::StatusOr<DatasetPaths> DatasetCache::Fetch(const AttemptId& attempt,
                                                 const std::vector<v1::Dataset>& datasets,
                                                 std::stop_token stop) {
  std::set<std::string>& held = held_[attempt];
  for (const v1::Dataset& dataset : datasets) held.insert(dataset.sha256());
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
  Trim();
  return paths;
}

DatasetCache::Fingerprint DatasetCache::FingerprintOf(const fs::path& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return {};
  return {static_cast<uint64_t>(info.st_ino), static_cast<uint64_t>(info.st_size),
          info.st_mtim.tv_sec * INT64_C(1'000'000'000) + info.st_mtim.tv_nsec};
}

bool DatasetCache::HasWhole(const v1::Dataset& dataset, const fs::path& path) {
  const Fingerprint now = FingerprintOf(path);
  if (now.inode == 0) return false;
  const auto known = verified_.find(dataset.sha256());
  if (known == verified_.end() || known->second != now) {
    const absl::StatusOr<std::string> digest = Sha256OfFile(path);
    if (!digest.ok() || *digest != dataset.sha256()) {
      spdlog::warn("{} does not match its digest: it is fetched again", path.string());
      return false;
    }
  }
  // The time of the last change is the time of the last use.
  std::error_code ignored;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  verified_[dataset.sha256()] = FingerprintOf(path);
  return true;
}

bool DatasetCache::IsHeld(const std::string& sha256) const {
  return std::any_of(held_.begin(), held_.end(),
                     [&](const auto& each) { return each.second.contains(sha256); });
}

void DatasetCache::Trim() {
  struct File {
    fs::file_time_type used;
    fs::path path;
    uint64_t bytes;
  };
  std::vector<File> files;
  uint64_t sum = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    const uint64_t bytes = it->file_size(gone);
    if (gone) continue;
    sum += bytes;
    if (!IsHeld(it->path().stem().string())) {
      files.push_back({it->last_write_time(gone), it->path(), bytes});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.used < b.used; });
  for (const File& file : files) {
    if (sum <= bytes_max_) return;
    sum -= file.bytes;
    verified_.erase(file.path.filename().string());
    const absl::Status removed = RemoveAll(file.path);
    if (!removed.ok()) spdlog::warn("{}", std::string(removed.message()));
  }
}

absl::StatusOr<fs::path> DatasetCache::FetchOne(const v1::Dataset& dataset, std::stop_token stop) {
  if (!IsSha256Hex(dataset.sha256())) {
    return absl::InvalidArgumentError(
        absl::StrCat("the dataset ", dataset.name(), " has no SHA-256 digest for a name"));
  }
  const fs::path path = folder_ / dataset.sha256();
  if (HasWhole(dataset, path)) return path;
  fs::path part = path;
  part += ".part";
  RETURN_IF_ERROR(FetchBlob(
      client_, {dataset.sha256(), dataset.size()}, absl::StrCat("the dataset ", dataset.name()),
      part, path, [](uint64_t) {}, stop));
  if (::chmod(path.c_str(), 0444) != 0) {
    return SystemError(errno, absl::StrCat("chmod ", path.string()));
  }
  verified_[dataset.sha256()] = FingerprintOf(path);
  return path;
}

}  // namespace mozgach

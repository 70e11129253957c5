#include "worker/data_folder.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "common/log.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kCheckpointsKept{7 * 24};
constexpr size_t kCacheFilesKept = 10'000;

// The last change of `directory` or of what lies directly in it.
fs::file_time_type LastChange(const fs::path& directory) {
  std::error_code error;
  fs::file_time_type last = fs::last_write_time(directory, error);
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    last = std::max(last, it->last_write_time(ignored));
  }
  return last;
}

void RemoveOldCheckpoints(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (LastChange(it->path()) + kCheckpointsKept > fs::file_time_type::clock::now()) continue;
    const absl::Status removed = RemoveAll(it->path());
    if (!removed.ok()) spdlog::warn("{}", std::string(removed.message()));
  }
}

void KeepNewest(const fs::path& folder, size_t files_kept) {
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    files.emplace_back(it->last_write_time(ignored), it->path());
  }
  std::sort(files.rbegin(), files.rend());
  for (size_t i = files_kept; i < files.size(); ++i) {
    const absl::Status removed = RemoveAll(files[i].second);
    if (!removed.ok()) spdlog::warn("{}", std::string(removed.message()));
  }
}

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Open(const fs::path& root) {
  std::error_code error;
  const fs::path absolute = fs::absolute(root, error).lexically_normal();
  if (error) return SystemError(error.value(), "find " + root.string());
  RETURN_IF_ERROR(MakeDirectories(absolute));
  ASSIGN_OR_RETURN(FileDescriptor lock,
                   LockFile(absolute / "lock", "the data folder " + absolute.string()));
  RETURN_IF_ERROR(RemoveAll(absolute / "attempts"));
  for (const char* folder :
       {"bases", "datasets", "attempts", "checkpoints", "cache", "logs", "trainers"}) {
    RETURN_IF_ERROR(MakeDirectories(absolute / folder));
  }
  RemoveOldCheckpoints(absolute / "checkpoints");
  KeepNewest(absolute / "cache", kCacheFilesKept);
  return DataFolder(absolute, std::move(lock));
}

}  // namespace mozgach

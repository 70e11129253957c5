#include "worker/transfer/data_rules.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <vector>

#include "common/files.h"
#include "common/log.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCacheFilesKept = 10'000;

struct File {
  fs::file_time_type used;
  fs::path path;
  uint64_t bytes = 0;
};

void Remove(const fs::path& path) {
  const absl::Status removed = RemoveAll(path);
  if (!removed.ok()) spdlog::warn("{}", std::string(removed.message()));
}

// The newest first.
std::vector<File> FilesIn(const fs::path& folder) {
  std::vector<File> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (!it->is_regular_file(gone)) continue;
    const uint64_t bytes = it->file_size(gone);
    const auto used = it->last_write_time(gone);
    if (!gone) files.push_back({used, it->path(), bytes});
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.used > b.used; });
  return files;
}

}  // namespace

fs::file_time_type LastChange(const fs::path& directory) {
  std::error_code error;
  fs::file_time_type last = fs::last_write_time(directory, error);
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    last = std::max(last, it->last_write_time(ignored));
  }
  return last;
}

void DropOldCheckpoints(const DataRules& rules, const fs::path& folder,
                        const std::set<int64_t>& busy) {
  const std::chrono::hours kept(24 * rules.checkpoint_days);
  std::set<std::string> held;
  for (const int64_t job : busy) held.insert(std::to_string(job));
  std::vector<fs::path> old;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (held.count(it->path().filename().string()) > 0) continue;
    if (LastChange(it->path()) + kept <= fs::file_time_type::clock::now()) {
      old.push_back(it->path());
    }
  }
  for (const fs::path& path : old) Remove(path);
}

void TrimTrainerCache(const DataRules& rules, const fs::path& folder) {
  const std::vector<File> files = FilesIn(folder);
  for (size_t i = kCacheFilesKept; i < files.size(); ++i) Remove(files[i].path);
  if (rules.quantized_bytes == 0) return;
  uint64_t sum = 0;
  for (const File& file : FilesIn(folder / "quantized")) {
    // Drafts are the business of those that write them.
    if (file.path.extension() != ".safetensors") continue;
    sum += file.bytes;
    if (sum > rules.quantized_bytes) Remove(file.path);
  }
}

}  // namespace mozgach

#include "worker/transfer/base_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/log.h"
#include "common/mutex.h"
#include "failpoint/failpoint.h"
#include "proto/base_manifest.h"
#include "worker/transfer/blob_fetch.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

constexpr char kParts[] = "parts";

uint64_t SizeOf(const fs::path& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  return error ? 0 : size;
}

absl::Status Given(std::stop_token stop, const std::string& base) {
  if (!stop.stop_requested()) return absl::OkStatus();
  return absl::CancelledError(absl::StrCat("fetch the base ", base, ": given up"));
}

}  // namespace

BaseCache::BaseCache(fs::path folder, SchedulerClient& client, LookAtDisk disk)
    : folder_(std::move(folder)), client_(client), disk_(std::move(disk)) {}

absl::StatusOr<fs::path> BaseCache::Fetch(const v1::BaseManifest& manifest,
                                          const Progress& progress, std::stop_token stop) {
  RETURN_IF_ERROR(CheckManifest(manifest));
  ASSIGN_OR_RETURN(const bool here, Use(manifest));
  if (here) return Home(manifest.digest()) / kFiles;
  absl::Status status = FetchFiles(manifest, progress, stop);
  if (status.ok()) status = Conclude(manifest);
  const MutexLock lock(mutex_);
  fetching_.clear();
  awaited_bytes_ = 0;
  if (!status.ok()) return status;
  return Home(manifest.digest()) / kFiles;
}

absl::StatusOr<bool> BaseCache::Use(const v1::BaseManifest& manifest) {
  const MutexLock lock(mutex_);
  auto found = kept_.find(manifest.digest());
  if (found == kept_.end()) {
    // A rename may have happened although it failed.
    absl::StatusOr<Kept> there = Read(manifest.digest());
    if (!there.ok()) {
      RETURN_IF_ERROR(RemoveAll(Home(manifest.digest())));
      return false;
    }
    found = kept_.emplace(manifest.digest(), *std::move(there)).first;
  }
  if (IsUnchanged(found->second)) {
    // Writing it again marks it as used, and stores revisions that have become known.
    ASSIGN_OR_RETURN(found->second, Write(Home(manifest.digest()), manifest));
    return true;
  }
  spdlog::warn("files of the base {} have changed since they were fetched: checking them",
               manifest.base());
  kept_.erase(found);
  RETURN_IF_ERROR(RemoveAll(Partial(manifest.digest())));
  RETURN_IF_ERROR(DURABLE("worker.base.take_aside",
                          RenameDurably(Home(manifest.digest()), Partial(manifest.digest()))));
  return false;
}

absl::StatusOr<std::vector<v1::File>> BaseCache::FilesToFetch(const v1::BaseManifest& manifest,
                                                              std::stop_token stop) const {
  std::vector<v1::File> missing;
  for (const v1::File& file : manifest.files()) {
    RETURN_IF_ERROR(Given(stop, manifest.base()));
    const fs::path path = Partial(manifest.digest()) / kFiles / file.path();
    std::error_code error;
    if (fs::is_regular_file(fs::symlink_status(path, error)) && SizeOf(path) == file.size()) {
      ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(path));
      if (digest == file.sha256()) continue;
    }
    if (fs::exists(fs::symlink_status(path, error))) {
      spdlog::warn("{} of the base {} is damaged: it is fetched again", file.path(),
                   manifest.base());
      RETURN_IF_ERROR(RemoveAll(path));
    }
    missing.push_back(file);
  }
  return missing;
}

absl::Status BaseCache::FetchFiles(const v1::BaseManifest& manifest, const Progress& progress,
                                   std::stop_token stop) {
  const fs::path partial = Partial(manifest.digest());
  RETURN_IF_ERROR(MakeDirectories(partial / kFiles));
  RETURN_IF_ERROR(MakeDirectories(partial / kParts));
  ASSIGN_OR_RETURN(const std::vector<v1::File> missing, FilesToFetch(manifest, stop));
  uint64_t bytes = 0;
  for (const v1::File& file : missing) {
    bytes += file.size() - std::min(file.size(), SizeOf(partial / kParts / file.sha256()));
  }
  {
    const MutexLock lock(mutex_);
    RETURN_IF_ERROR(MakeRoom(manifest, bytes));
    fetching_ = manifest.digest();
    awaited_bytes_ = bytes;
  }
  v1::BaseFetch fetch;
  fetch.set_base(manifest.base());
  fetch.set_digest(manifest.digest());
  fetch.set_size_bytes(manifest.size_bytes());
  fetch.set_received_bytes(manifest.size_bytes() - bytes);
  progress(fetch, 0);
  const auto received = [&](uint64_t more) {
    fetch.set_received_bytes(std::min(fetch.received_bytes() + more, fetch.size_bytes()));
    progress(fetch, more);
    const MutexLock lock(mutex_);
    awaited_bytes_ -= std::min(awaited_bytes_, more);
  };
  for (const v1::File& file : missing) {
    const fs::path path = partial / kFiles / file.path();
    RETURN_IF_ERROR(MakeDirectories(path.parent_path()));
    RETURN_IF_ERROR(FetchBlob(client_, {file.sha256(), file.size()},
                              absl::StrCat(file.path(), " of the base ", manifest.base()),
                              partial / kParts / file.sha256(), path, received, stop));
  }
  return absl::OkStatus();
}

absl::Status BaseCache::Conclude(const v1::BaseManifest& manifest) {
  const fs::path partial = Partial(manifest.digest());
  RETURN_IF_ERROR(RemoveAll(partial / kParts));
  ASSIGN_OR_RETURN(Kept kept, Write(partial, manifest));
  const MutexLock lock(mutex_);
  RETURN_IF_ERROR(DURABLE("worker.base.complete", RenameDurably(partial, Home(manifest.digest()))));
  kept_[manifest.digest()] = std::move(kept);
  return absl::OkStatus();
}

std::vector<FoundBase> BaseCache::Held() const {
  const MutexLock lock(mutex_);
  std::vector<const Kept*> whole;
  for (const auto& [digest, kept] : kept_) {
    if (IsUnchanged(kept)) whole.push_back(&kept);
  }
  std::sort(whole.begin(), whole.end(),
            [](const Kept* a, const Kept* b) { return a->used > b->used; });
  std::vector<FoundBase> bases;
  for (const Kept* kept : whole) {
    const v1::BaseManifest& manifest = kept->manifest;
    const fs::path files = Home(manifest.digest()) / kFiles;
    FoundBase base{.name = manifest.base(),
                   .plain = files,
                   .size_bytes = manifest.size_bytes(),
                   .digest = manifest.digest()};
    for (const std::string& revision : manifest.revisions()) base.revisions[revision] = files;
    bases.push_back(std::move(base));
  }
  return bases;
}

void BaseCache::SetInUse(std::set<std::string> bases) {
  const MutexLock lock(mutex_);
  in_use_ = std::move(bases);
}

bool BaseCache::IsUnchanged(const Kept& kept) const {
  for (const v1::File& file : kept.manifest.files()) {
    struct stat info;
    const fs::path path = Home(kept.manifest.digest()) / kFiles / file.path();
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    const auto stamp = kept.stamps.find(file.path());
    if (static_cast<uint64_t>(info.st_size) != file.size() || stamp == kept.stamps.end()) {
      return false;
    }
    if (stamp->second != StampOf(info)) return false;
  }
  return true;
}

}  // namespace mozgach

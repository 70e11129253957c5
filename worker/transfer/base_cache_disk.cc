// How a BaseCache stores what it knows, and makes room.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/log.h"
#include "common/mutex.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "proto/base_manifest.h"
#include "worker/transfer/base_cache.h"
#include "worker/transfer/data_rules.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

constexpr char kManifest[] = "manifest.json";
constexpr uint64_t kManifestBytesMax = 16 << 20;
constexpr uint64_t kReserveMax = UINT64_C(1) << 30;
constexpr std::chrono::hours kPartialKept{7 * 24};

uint64_t BytesBelow(const fs::path& folder) {
  uint64_t bytes = 0;
  for (const std::string& file : ListFiles(folder).value_or(std::vector<std::string>())) {
    std::error_code error;
    const uintmax_t size = fs::file_size(folder / file, error);
    bytes += error ? 0 : size;
  }
  return bytes;
}

std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator it(folder, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  return entries;
}

// Adapters, checkpoints and datasets want some of the disk as well.
uint64_t ReserveOf(const BaseCache::Disk& disk) {
  return std::min(kReserveMax, disk.total_bytes / 20);
}

}  // namespace

BaseCache::Stamp BaseCache::StampOf(const struct ::stat& info) {
  const auto nanoseconds = [](const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
#ifdef __APPLE__
  return {nanoseconds(info.st_mtimespec), nanoseconds(info.st_ctimespec)};
#else
  return {nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
#endif
}

absl::Status BaseCache::Open() {
  RETURN_IF_ERROR(MakeDirectories(folder_ / "partial"));
  const MutexLock lock(mutex_);
  for (const fs::path& entry : EntriesOf(folder_)) {
    const std::string digest = entry.filename().string();
    if (digest == "partial") continue;
    absl::StatusOr<Kept> kept = Read(digest);
    if (kept.ok()) {
      kept_[digest] = *std::move(kept);
    } else {
      spdlog::warn("{}: {}; it goes", entry.string(), std::string(kept.status().message()));
      RETURN_IF_ERROR(RemoveAll(entry));
    }
  }
  RETURN_IF_ERROR(DropReplaced());
  for (const fs::path& entry : EntriesOf(folder_ / "partial")) {
    if (LastChange(entry) + kPartialKept < fs::file_time_type::clock::now()) {
      RETURN_IF_ERROR(RemoveAll(entry));
    }
  }
  return absl::OkStatus();
}

absl::Status BaseCache::DropReplaced() {
  std::map<std::string, const Kept*> newest;  // by name
  for (const auto& [digest, kept] : kept_) {
    const Kept*& best = newest[kept.manifest.base()];
    if (best == nullptr || best->used < kept.used) best = &kept;
  }
  std::vector<std::string> replaced;
  for (const auto& [digest, kept] : kept_) {
    if (newest[kept.manifest.base()] != &kept) replaced.push_back(digest);
  }
  for (const std::string& digest : replaced) RETURN_IF_ERROR(Drop(digest));
  return absl::OkStatus();
}

absl::StatusOr<BaseCache::Kept> BaseCache::Read(const std::string& digest) const {
  if (!IsSha256Hex(digest)) return absl::InvalidArgumentError("no fetched base");
  const fs::path path = Home(digest) / kManifest;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kManifestBytesMax));
  Kept kept;
  try {
    ASSIGN_OR_RETURN(const Json json, ParseJson(text));
    kept.manifest.set_base(json.at("base").get<std::string>());
    for (const Json& revision : json.at("revisions")) {
      kept.manifest.add_revisions(revision.get<std::string>());
    }
    for (const Json& entry : json.at("files")) {
      v1::File& file = *kept.manifest.add_files();
      file.set_path(entry.at("path").get<std::string>());
      file.set_sha256(entry.at("sha256").get<std::string>());
      file.set_size(static_cast<uint64_t>(WholeNumber(entry.at("size"), 0)));
      kept.stamps[file.path()] = {WholeNumber(entry.at("written")),
                                  WholeNumber(entry.at("changed"))};
    }
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": ", error.what()));
  }
  Seal(kept.manifest);
  RETURN_IF_ERROR(CheckManifest(kept.manifest));
  if (kept.manifest.digest() != digest) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), " is of another base"));
  }
  std::error_code error;
  kept.used = fs::last_write_time(path, error);
  return kept;
}

absl::StatusOr<BaseCache::Kept> BaseCache::Write(const fs::path& home,
                                                 const v1::BaseManifest& manifest) const {
  Kept kept{.manifest = manifest, .used = fs::file_time_type::clock::now()};
  Json json = {{"base", manifest.base()}, {"revisions", Json::array()}, {"files", Json::array()}};
  for (const std::string& revision : manifest.revisions()) json["revisions"].push_back(revision);
  for (const v1::File& file : manifest.files()) {
    struct stat info;
    const fs::path path = home / kFiles / file.path();
    if (::lstat(path.c_str(), &info) != 0) {
      return SystemError(errno, absl::StrCat("look at ", path.string()));
    }
    const Stamp stamp = StampOf(info);
    kept.stamps[file.path()] = stamp;
    json["files"].push_back({{"path", file.path()},
                             {"sha256", file.sha256()},
                             {"size", file.size()},
                             {"written", stamp.written},
                             {"changed", stamp.changed}});
  }
  RETURN_IF_ERROR(DURABLE("worker.base.write_manifest",
                          WriteFileAtomically(home / kManifest, json.dump(1) + "\n")));
  return kept;
}

absl::StatusOr<BaseCache::Disk> BaseCache::DiskOf(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error) return SystemError(error.value(), absl::StrCat("look at ", folder.string()));
  return Disk{.free_bytes = space.available, .total_bytes = space.capacity};
}

absl::StatusOr<uint64_t> BaseCache::FreeBytes() const {
  ASSIGN_OR_RETURN(const Disk disk, disk_(folder_));
  return disk.free_bytes - std::min(disk.free_bytes, ReserveOf(disk));
}

bool BaseCache::MayDrop(const Kept& kept) const { return in_use_.count(kept.manifest.base()) == 0; }

uint64_t BaseCache::Room() const {
  const MutexLock lock(mutex_);
  uint64_t room = FreeBytes().value_or(0);
  room -= std::min(room, awaited_bytes_);
  for (const auto& [digest, kept] : kept_) {
    if (MayDrop(kept)) room += kept.manifest.size_bytes();
  }
  for (const fs::path& entry : EntriesOf(folder_ / "partial")) {
    if (entry.filename() != fetching_) room += BytesBelow(entry);
  }
  return room;
}

absl::Status BaseCache::MakeRoom(const v1::BaseManifest& manifest, uint64_t bytes) {
  ASSIGN_OR_RETURN(uint64_t free, FreeBytes());
  if (bytes <= free) return absl::OkStatus();
  for (const fs::path& entry : EntriesOf(folder_ / "partial")) {
    if (entry.filename() != manifest.digest()) RETURN_IF_ERROR(RemoveAll(entry));
  }
  ASSIGN_OR_RETURN(free, FreeBytes());
  std::vector<const Kept*> droppable;
  uint64_t could_be_free = free;
  for (const auto& [digest, kept] : kept_) {
    if (!MayDrop(kept)) continue;
    droppable.push_back(&kept);
    could_be_free += kept.manifest.size_bytes();
  }
  if (bytes > could_be_free) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "no room for the base ", manifest.base(), ": it needs ", bytes, " bytes, and ", free,
        " can be used below ", folder_.string(), " (", droppable.size(),
        " fetched bases can go); free some of that disk, or put --data on a larger one"));
  }
  std::sort(droppable.begin(), droppable.end(),
            [](const Kept* a, const Kept* b) { return a->used < b->used; });
  for (const Kept* kept : droppable) {
    if (bytes <= free) break;
    spdlog::info("drops the base {}, used longest ago, for {}", kept->manifest.base(),
                 manifest.base());
    free += kept->manifest.size_bytes();
    RETURN_IF_ERROR(Drop(std::string(kept->manifest.digest())));
  }
  return absl::OkStatus();
}

absl::Status BaseCache::Drop(const std::string& digest) {
  const auto found = kept_.find(digest);
  if (found == kept_.end() || !MayDrop(found->second)) return absl::OkStatus();
  kept_.erase(found);
  // Without its manifest it is not a base: a crash in between leaves nothing that could be used.
  RETURN_IF_ERROR(RemoveAll(Home(digest) / kManifest));
  return RemoveAll(Home(digest));
}

}  // namespace mozgach

// A BaseCache keeps bases fetched from the scheduler, whole, by their digest, below --data.
//
//   FOLDER/<digest>/manifest.json       what it is, and the times of its files as they were
//   checked;
//                                       changed whenever the base is used
//   FOLDER/<digest>/files/…             the directory a trainer is given
//   FOLDER/partial/<digest>/files/…     of one that is being fetched: files that are whole,
//   FOLDER/partial/<digest>/parts/…     and the one that is not, by its SHA-256
//
// A fetch goes on where it was cut, by a worker that was killed as well; a base counts once all of
// it is on disk, synced, with the right digests, and renamed to its place.  Afterwards its files
// are known by size and times: one that has changed is hashed again at the next use, and fetched
// again if it is damaged.
//
// If the disk is full, abandoned fetches are removed first, then the bases used longest ago, but
// never one in use. A part of the disk is left free for adapters and checkpoints.
//
// Fetch is for one thread at a time; the rest is thread-safe.  The folder belongs to this worker.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "worker/session/base_folder.h"
#include "worker/transfer/scheduler_client.h"

namespace mozgach {

class BaseCache {
 public:
  // The directory of a base's own files, see above.
  static constexpr char kFiles[] = "files";
  struct Disk {
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
  };
  using LookAtDisk = std::function<absl::StatusOr<Disk>(const std::filesystem::path&)>;
  // How far a fetch is, and how many bytes have come since the last call.
  using Progress = std::function<void(const v1::BaseFetch& fetch, uint64_t bytes)>;

  // `client` outlives the cache.  `disk` says what the disk of a folder has.
  BaseCache(std::filesystem::path folder, SchedulerClient& client, LookAtDisk disk = DiskOf);

  // Makes the folder, reads what is kept there, and sweeps what a crash has left.
  absl::Status Open();

  // The directory of the base's files, fetched unless they are here.  RESOURCE_EXHAUSTED: there is
  // no room, with figures.  INVALID_ARGUMENT: the manifest is not valid.  Others as FetchBlob.
  absl::StatusOr<std::filesystem::path> Fetch(const v1::BaseManifest& manifest,
                                              const Progress& progress, std::stop_token stop);

  // What is whole and unchanged, the one used last first.
  std::vector<FoundBase> Held() const;

  // What a base may need to be fetched: free, or to be dropped for it.
  uint64_t Room() const;

  // The bases that must not be dropped from now on, by name.
  void SetInUse(std::set<std::string> bases);

  static absl::StatusOr<Disk> DiskOf(const std::filesystem::path& folder);

 private:
  // By which an unchanged file is known; nanoseconds since 1970.
  struct Stamp {
    int64_t written = 0;
    int64_t changed = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Kept {
    v1::BaseManifest manifest;
    std::map<std::string, Stamp> stamps;  // by path
    std::filesystem::file_time_type used;
  };

  std::filesystem::path Home(const std::string& digest) const { return folder_ / digest; }
  std::filesystem::path Partial(const std::string& digest) const {
    return folder_ / "partial" / digest;
  }
  static Stamp StampOf(const struct ::stat& info);
  absl::StatusOr<Kept> Read(const std::string& digest) const;
  // Into `home`, with the files' stamps as they are now.
  absl::StatusOr<Kept> Write(const std::filesystem::path& home,
                             const v1::BaseManifest& manifest) const;
  bool IsUnchanged(const Kept& kept) const;

  // True when the base is here and unchanged; it counts as used now.
  absl::StatusOr<bool> Use(const v1::BaseManifest& manifest);
  // Files of a partial base that are not whole; what is damaged is removed.
  absl::StatusOr<std::vector<v1::File>> FilesToFetch(const v1::BaseManifest& manifest,
                                                     std::stop_token stop) const;
  absl::Status FetchFiles(const v1::BaseManifest& manifest, const Progress& progress,
                          std::stop_token stop);
  absl::Status Conclude(const v1::BaseManifest& manifest);

  absl::Status MakeRoom(const v1::BaseManifest& manifest, uint64_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<uint64_t> FreeBytes() const;
  bool MayDrop(const Kept& kept) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Drop(const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops all bases of one name except the one used last: the scheduler has replaced them.
  absl::Status DropReplaced() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::filesystem::path folder_;
  SchedulerClient& client_;
  const LookAtDisk disk_;
  mutable Mutex mutex_;
  std::map<std::string, Kept> kept_ ABSL_GUARDED_BY(mutex_);  // by digest
  std::set<std::string> in_use_ ABSL_GUARDED_BY(mutex_);      // names
  std::string fetching_ ABSL_GUARDED_BY(mutex_);              // digest; empty: none
  uint64_t awaited_bytes_ ABSL_GUARDED_BY(mutex_) = 0;        // bytes of that base still to come
};

}  // namespace mozgach

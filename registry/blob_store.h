// A BlobStore keeps immutable bytes by their SHA-256: datasets on their way to workers, adapter
// files on their way to the registry.  A blob counts only when all of it is on disk and its digest
// is right.
//
//   ROOT/ab/abcd…        complete, mode 0444
//   ROOT/partial/abcd…   an upload so far; its length is where it goes on
//   ROOT/partial/abcd….7 an upload whose bytes are being checked
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/status.h"

namespace mozgach {

class BlobUpload;

class BlobStore {
 public:
  struct Stat {
    bool complete = false;
    uint64_t bytes = 0;  // size of the blob, or bytes received so far
  };

  // Each has a file open.
  static constexpr int kOpenUploadsMax = 256;

  // Blobs larger than `limit_bytes` are refused, and so are bytes that would leave less than
  // `reserve_bytes` free on the disk: who uploads cannot take what the database needs.
  BlobStore(std::filesystem::path root, uint64_t limit_bytes, uint64_t reserve_bytes = 0);

  // Makes the directories.
  absl::Status Open();

  // INVALID_ARGUMENT for anything but a digest, here and below.
  absl::StatusOr<Stat> Find(const std::string& sha256) const;
  bool Has(const std::string& sha256) const;
  // Removes a complete blob whose bytes are not those of its name, so that it can be uploaded
  // again; true: it did.  Bytes that have not changed since they were checked are not read again.
  absl::StatusOr<bool> RemoveIfDamaged(const std::string& sha256);
  // Where a complete blob lies, or would.
  absl::StatusOr<std::filesystem::path> Path(const std::string& sha256) const;

  // Starts, or goes on with, the upload of a blob of `size` bytes at `offset`, at most what has
  // been received (OUT_OF_RANGE otherwise).  A later upload of the same blob takes over: the
  // earlier one then fails with ABORTED.  UNAVAILABLE while kOpenUploadsMax are under way.
  absl::StatusOr<std::unique_ptr<BlobUpload>> Upload(const std::string& sha256, uint64_t size,
                                                     uint64_t offset);

  absl::Status Remove(const std::string& sha256);

  // RESOURCE_EXHAUSTED unless so many more bytes leave the reserve free.
  absl::Status CheckRoom(uint64_t bytes) const;

  // A file of the store: a blob, or an upload so far.
  struct OldFile {
    std::string path;    // relative to the root
    std::string sha256;  // empty: an upload so far
    uint64_t bytes = 0;
  };
  // Those last written, or uploaded once more, before `before`.
  absl::StatusOr<std::vector<OldFile>> Old(WallTime before) const;
  // Removes one of them unless it has been since.  True: it has gone.
  absl::StatusOr<bool> RemoveOld(const OldFile& file, WallTime before);

 private:
  friend class BlobUpload;

  std::filesystem::path PartialPath(const std::string& sha256) const;
  std::filesystem::path CompletePath(const std::string& sha256) const;
  // A blob that is here counts as written now.  False: it is not here.
  bool Touch(const std::string& sha256) const;
  // The checked bytes of `file` get their name, durably.
  absl::Status Name(const std::filesystem::path& file, const std::string& sha256);
  // The name of a complete blob is on disk when this returns OK. The thread or process that gave
  // the name may have died before the sync, or be about to sync it.
  absl::Status Settle(const std::string& sha256) const;
  // REQUIRES: mutex_ is held.  ABORTED unless the upload of `ticket` is the one that may write.
  absl::Status CheckOwner(const std::string& sha256, uint64_t ticket) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The names in a directory ROOT/ab.
  struct Names {
    int64_t changes = 0;
    int64_t synced = -1;  // as of so many changes
    int changing = 0;     // threads that are
  };

  // What changes when the bytes of a file do.
  struct Stamp {
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t changed_ns = 0;

    bool operator==(const Stamp&) const = default;
  };
  static std::optional<Stamp> StampOf(const std::filesystem::path& path);
  void NoteChecked(const std::string& sha256, const std::optional<Stamp>& stamp);

  const std::filesystem::path root_;
  const uint64_t limit_bytes_;
  const uint64_t reserve_bytes_;
  mutable Mutex names_mutex_;
  mutable std::map<std::string, Names> names_
      ABSL_GUARDED_BY(names_mutex_);  // by directory; guarded by names_mutex_
  // Held while a partial file is written, so that an upload that was taken over cannot write late.
  mutable Mutex mutex_;
  uint64_t next_ticket_ ABSL_GUARDED_BY(mutex_) = 1;
  int open_uploads_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, uint64_t> uploads_
      ABSL_GUARDED_BY(mutex_);  // digest → the upload that may write it
  Mutex checked_mutex_;
  std::unordered_map<std::string, Stamp> checked_
      ABSL_GUARDED_BY(checked_mutex_);  // by digest; guarded by checked_mutex_
};

}  // namespace mozgach

// A LogSync makes what a database has committed survive a power cut: it syncs the write-ahead log,
// by a descriptor of its own, while the connection goes on writing.  One sync serves all that was
// committed before it began.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "common/files.h"
#include "common/mutex.h"
#include "common/status.h"

namespace mozgach {

class LogSync {
 public:
  // Syncs the log of the database at `path`; does nothing for one in memory ("", ":memory:").
  explicit LogSync(const std::string& path);

  // OK: what was in the log when this was called is on the disk.  One failure is the end: the
  // system has dropped what it could not write and would call the next sync a success, so every
  // later call says the same.  Who is told so must not answer anybody any more: it ends its
  // process.
  absl::Status Sync();

  int64_t syncs() const { return syncs_; }
  double seconds() const { return static_cast<double>(nanoseconds_) / 1e9; }

 private:
  absl::Status SyncLog();  // the caller holds mutex_

  const std::string log_;  // empty: nothing to sync
  Mutex mutex_;
  FileDescriptor fd_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int64_t> syncs_ = 0;
  std::atomic<int64_t> nanoseconds_ = 0;
};

}  // namespace mozgach

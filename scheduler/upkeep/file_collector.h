// The files that retention removes: directories of versions whose rows have gone, logs, blobs.
// They are listed without the database, and go with it in hand.  One thread at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scheduler/upkeep/retention.h"

namespace mozgach {

// Blobs and uploads that nothing needs go when they were written before this time.
WallTime UnneededBlobsGoBefore(int64_t days_kept, WallTime now);

class FileCollector {
 public:
  // `only_look`: nothing is removed.  All outlive it.
  FileCollector(const SchedulerConfig& rules, WallTime now, std::filesystem::path data,
                bool only_look, Collection& collection)
      : rules_(rules),
        now_(now),
        logs_(data / "logs"),
        only_look_(only_look),
        collection_(collection) {}

  // The directories of removed versions, those of a collection that was cut as well.
  absl::Status RemoveDirectories(const VersionFiles& versions, const Retention::Turn& turn);
  absl::Status RemoveLogs(const Retention::Turn& turn, std::stop_token stop);
  absl::Status RemoveBlobs(BlobStore& blobs, const Retention::Turn& turn, std::stop_token stop);

 private:
  absl::Status RemoveLogOf(Database& database, const std::string& job);
  absl::Status RemoveBlob(Database& database, BlobStore& blobs, const BlobStore::OldFile& file);
  absl::Status SweepTakenLogs() const;
  WallTime BlobsBefore() const;

  const SchedulerConfig& rules_;
  const WallTime now_;
  const std::filesystem::path logs_;
  const bool only_look_;
  Collection& collection_;
};

}  // namespace mozgach

// Retention removes what is no longer needed, by the rules of the configuration (config.h,
// docs/upkeep.md). In this order, since each step may release what the next one removes:
//
//   versions  but the newest of their domain, those an alias points at, and that of the latest job
//   jobs      that were over long ago, are not the latest of their domain and have no version
//   events    of long ago, but those of jobs that are not over or were not by then
//   logs      of jobs that were over long ago or were removed, except a domain's latest job
//   blobs     that no job, version or base needs, and no client has uploaded lately
//
// Each item is checked again in the transaction that removes it: what a submit, an alias or a
// report has named in the meantime stays. Triggers of the database refuse the worst mistakes. Rows
// are removed in short transactions, so that other calls run between them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "registry/blob_store.h"
#include "registry/database.h"
#include "registry/version_files.h"
#include "scheduler/jobs/config.h"

namespace mozgach {

struct Garbage {
  std::string kind;  // version, job, event, log, blob, upload
  std::string name;
  std::string why;
  uint64_t bytes = 0;  // on disk; 0: rows
};

struct Collection {
  static constexpr size_t kListedMax = 10'000;

  struct Total {
    std::string kind;
    int64_t count = 0;
    uint64_t bytes = 0;
  };
  std::vector<Garbage> garbage;  // the first kListedMax
  std::vector<Total> totals;     // in the order above; of kinds of which something goes

  void Add(Garbage item, int64_t count = 1);
};

class Retention {
 public:
  // Calls what it is given with the database to itself.
  using Step = std::function<absl::Status(Database& database)>;
  using Turn = std::function<absl::Status(const Step& step)>;

  // `data` is the scheduler's data directory.  All outlive it.
  Retention(const SchedulerConfig& rules, BlobStore& blobs, const VersionFiles& versions,
            std::filesystem::path data)
      : rules_(rules), blobs_(blobs), versions_(versions), data_(std::move(data)) {}

  // What went.  `actor` is who asked, for the event log.  Ends early, OK, when asked to stop.
  absl::StatusOr<Collection> Collect(const Turn& turn, WallTime now, const std::string& actor,
                                     std::stop_token stop = {});
  // What Collect would take now: the same, done to a copy of `source`, and to no file.
  absl::StatusOr<Collection> Preview(Database& source, WallTime now);

 private:
  const SchedulerConfig& rules_;
  BlobStore& blobs_;
  const VersionFiles& versions_;
  const std::filesystem::path data_;
};

}  // namespace mozgach

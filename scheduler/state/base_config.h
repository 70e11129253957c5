// BaseConfigs are the config.json of bases: from the scheduler's own files of a base, else as a
// worker told it.  Jobs are planned with them.
//
// Rows, and parsed in memory.  One thread at a time.
#pragma once

#include <map>
#include <set>
#include <string>

#include "registry/blob_store.h"
#include "registry/database.h"
#include "scheduler/jobs/job_shape.h"
#include "scheduler/state/base_catalog.h"
#include "scheduler/state/worker_table.h"

namespace mozgach {

inline constexpr size_t kConfigBytesMax = 256 << 10;

class BaseConfigs {
 public:
  explicit BaseConfigs(Database& database) : database_(database) {}

  // Reads the rows, and the bases that the scheduler holds.
  absl::Status Recover(const BaseCatalog& catalog, const BlobStore& blobs);

  // Null if the config is unknown. Valid until the next change.
  const BaseConfig* Find(const std::string& base) const;

  // Whether what `worker` says of `base` is to count: it is new, and neither the scheduler nor
  // another worker that still has the base says otherwise.
  bool Wants(const WorkerTable& worker_table, const std::string& worker,
             const v1::Base& base) const;
  // Writes what a worker told; joins the open transaction and leaves memory alone.
  absl::Status Save(const std::string& worker, const v1::Base& base);
  // The same in memory, once that is committed.
  void Add(const std::string& worker, const v1::Base& base);
  // Adds the config of a base that the scheduler holds. It takes precedence over all others.
  void AddHeld(const v1::BaseManifest& manifest, const BlobStore& blobs);

  // Bases whose shapes may still be planned with another config: they are not given to anybody.
  const std::set<std::string>& behind() const { return behind_; }
  void MarkPlanned(const std::string& base) { behind_.erase(base); }

 private:
  struct Known {
    std::string worker;  // empty: the scheduler's own
    BaseConfig config;
  };

  void Take(const std::string& base, const std::string& worker, const std::string& text);

  Database& database_;
  std::map<std::string, Known> known_;
  std::set<std::string> behind_;
};

}  // namespace mozgach

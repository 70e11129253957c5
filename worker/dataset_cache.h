// A DatasetCache keeps datasets on this host by their digest: each is fetched once, whatever the
// number of jobs that use it.  A download that was cut goes on where it was; bytes count only when
// their digest is right.
//
// The folder grows until a person empties it; what lies there can be deleted while the worker is
// down. One thread fetches at a time; the folder belongs to this worker alone.
#pragma once

#include <filesystem>
#include <stop_token>

#include "worker/scheduler_client.h"
#include "worker/worker_attempt.h"

namespace mozgach {

class DatasetCache {
 public:
  // `client` outlives the cache.
  DatasetCache(std::filesystem::path folder, SchedulerClient& client)
      : folder_(std::move(folder)), client_(client) {}

  // All of a job's datasets.  RESOURCE_EXHAUSTED: the disk is full.  DATA_LOSS: the scheduler's
  // copy is damaged.  CANCELLED: `stop`.
  absl::StatusOr<DatasetPaths> Fetch(const std::vector<v1::Dataset>& datasets,
                                     std::stop_token stop);

 private:
  absl::StatusOr<std::filesystem::path> FetchOne(const v1::Dataset& dataset, std::stop_token stop);

  const std::filesystem::path folder_;
  SchedulerClient& client_;
};

}  // namespace mozgach

#include "scheduler/placement/base_dispatch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/placement/device_room.h"

namespace mozgach {
namespace {

// It has a device without work: with the base, and room, the job is better off there.
bool WaitsForWork(const SchedulerState& state, const Now& now, const WorkerState& worker) {
  return worker.free_slots > worker.unreported && !worker.drain && !worker.draining &&
         !WorkerTable::IsLost(worker, now, state.config.lease);
}

bool SomeoneWaitsWith(const SchedulerState& state, const Now& now, const std::string& base_key,
                      const Queue::NeedsRange& needs) {
  const auto& workers = state.worker_table.workers();
  return std::any_of(workers.begin(), workers.end(), [&](const auto& each) {
    return each.second.keys.count(base_key) > 0 && WaitsForWork(state, now, each.second) &&
           HasRoomForAll(state, each.second, base_key, needs);
  });
}

}  // namespace

bool HasRoomFor(const WorkerState& worker, const v1::BaseManifest& manifest) {
  const v1::BaseFetch* fetch = FetchOf(worker, manifest.base());
  if (fetch != nullptr && fetch->digest() == manifest.digest()) return true;
  return worker.base_room_bytes > 0 && manifest.size_bytes() <= worker.base_room_bytes;
}

bool CouldFetch(const SchedulerState& state, const WorkerState& worker,
                const std::string& base_key) {
  if (worker.keys.count(base_key) > 0) return false;
  const v1::BaseManifest* manifest = state.bases.Serving(base_key);
  return manifest != nullptr && HasRoomFor(worker, *manifest);
}

absl::StatusOr<std::vector<std::string>> KeysToFetch(SchedulerState& state, const Now& now,
                                                     const WorkerState& worker) {
  std::vector<std::string> keys;
  for (const auto& [name, entry] : state.bases.all()) {
    for (const std::string& key : entry.keys) {
      if (!CouldFetch(state, worker, key)) continue;
      ASSIGN_OR_RETURN(const auto needs, state.queue.NeedsWaiting(key));
      if (needs && !SomeoneWaitsWith(state, now, key, *needs)) keys.push_back(key);
    }
  }
  return keys;
}

const v1::BaseFetch* FetchOf(const WorkerState& worker, const std::string& base) {
  for (const v1::BaseFetch& fetch : worker.base_fetches) {
    if (fetch.base() == base) return &fetch;
  }
  return nullptr;
}

std::string ShowFetch(const WorkerState& worker, const v1::BaseFetch& fetch) {
  return absl::StrCat("worker ", worker.name, " is fetching it (", fetch.received_bytes(), " of ",
                      fetch.size_bytes(), " bytes)");
}

}  // namespace mozgach

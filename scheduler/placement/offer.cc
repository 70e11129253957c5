#include "scheduler/placement/offer.h"

#include <chrono>

#include "nlohmann/json.hpp"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/placement/placement.h"

namespace mozgach {
namespace {

constexpr auto kTimeout = std::chrono::minutes(5);

}  // namespace

absl::StatusOr<Queue::Offer> OfferOf(SchedulerState& state, const Now& now,
                                     const WorkerState& worker, const DeviceRoom& room) {
  nlohmann::json loaded = nlohmann::json::object(), here = loaded, to_fetch = loaded;
  const auto add = [&](const std::string& key, nlohmann::json& bases) {
    const std::string base = BaseOf(key);
    // Its config.json is on the way here: jobs are not placed before they are planned.
    if (worker.awaited.contains(base) || state.configs.behind().contains(base)) return;
    bases[key] = PlannedRoom(state, room, base);
  };
  for (const std::string& key : worker.keys) {
    const bool is_loaded =
        room.device.empty() ? HasLoaded(worker, key) : room.loaded_base == BaseOf(key);
    add(key, is_loaded ? loaded : here);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> keys, KeysToFetch(state, now, worker));
  for (const std::string& key : keys) add(key, to_fetch);
  return Queue::Offer{.loaded = loaded.dump(),
                      .here = here.dump(),
                      .to_fetch = to_fetch.dump(),
                      .cpu = room.device_class == DeviceClass::kCpu};
}

absl::StatusOr<std::optional<Queue::Waiting>> KeptFreeFor(SchedulerState& state, const Now& now,
                                                          const WorkerState& worker,
                                                          const DeviceRoom& room) {
  if (room.alone <= room.free) return std::optional<Queue::Waiting>();
  DeviceRoom alone = room;
  alone.free = room.alone;
  ASSIGN_OR_RETURN(const Queue::Offer offer, OfferOf(state, now, worker, alone));
  ASSIGN_OR_RETURN(const std::optional<Queue::Waiting> best, state.queue.Best(offer));
  if (!best.has_value() || now.wall - best->queued < kTimeout ||
      best->needs_bytes <= PlannedRoom(state, room, BaseOf(best->base_key))) {
    return std::optional<Queue::Waiting>();
  }
  return best;
}

}  // namespace mozgach

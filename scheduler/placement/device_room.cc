#include "scheduler/placement/device_room.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "scheduler/placement/placement.h"

namespace mozgach {
namespace {

int64_t Bytes(uint64_t bytes) {
  return static_cast<int64_t>(std::min<uint64_t>(bytes, INT64_MAX / 4));
}

// What the jobs of other workers hold of a pool, and are yet to take.
struct Use {
  int64_t held = 0;
  int64_t to_come = 0;
};

Use UseByOthers(const SchedulerState& state, const WorkerState& worker, const std::string& pool) {
  // Jobs of one device come one after another: the largest counts.
  std::map<std::string, std::map<std::string, int64_t>> reserved;  // by worker and device
  for (const int64_t job : state.leases.JobsIn(pool)) {
    const Lease& lease = *state.leases.Find(job);
    if (lease.worker == worker.name) continue;
    int64_t& most = reserved[lease.worker][lease.device];
    most = std::max(most, Bytes(lease.reserved_bytes));
  }
  Use use;
  for (const auto& [name, devices] : reserved) {
    int64_t promised = 0;
    for (const auto& [device, bytes] : devices) promised += bytes;
    const WorkerState* other = state.worker_table.Find(name);
    const int64_t held = other == nullptr ? 0 : Bytes(other->memory_bytes);
    // What it took after the one who asks has looked is not in the figure of that one.
    const bool visible =
        other != nullptr && other->last_call_since_boot <= worker.last_call_since_boot;
    use.to_come += std::max<int64_t>(0, promised - (visible ? held : 0));
    use.held += held;
  }
  return use;
}

DeviceRoom RoomOn(const SchedulerState& state, const WorkerState& worker,
                  const v1::Device& device) {
  DeviceRoom room;
  room.device = device.name();
  room.kind = device.kind();
  room.loaded_base = device.loaded_base();
  room.device_class = device.name() == "cpu" ? DeviceClass::kCpu : DeviceClass::kGpu;
  if (device.memory_total_bytes() == 0) return room;
  room.total = Bytes(device.memory_total_bytes());
  room.free = room.alone = std::min(room.total, Bytes(device.memory_free_bytes()));
  if (device.memory_pool().empty()) return room;
  room.memory_pool = device.memory_pool();
  const Use others = UseByOthers(state, worker, room.memory_pool);
  const int64_t shared = Bytes(device.memory_pool_free_bytes()) - others.to_come;
  const int64_t alone = Bytes(device.memory_pool_free_bytes()) + others.held;
  room.free = std::clamp<int64_t>(shared, 0, room.free);
  room.alone = std::min(room.total, std::max(room.free, alone));
  return room;
}

// Slots of `device` that are taken by leases which the worker has not named yet.
int64_t Promised(const SchedulerState& state, const WorkerState& worker,
                 const std::string& device) {
  const std::vector<int64_t> jobs = state.leases.JobsOf(worker.name);
  return std::count_if(jobs.begin(), jobs.end(), [&](int64_t job) {
    const Lease& lease = *state.leases.Find(job);
    return !lease.reported && lease.device == device;
  });
}

int64_t NeedOn(const DeviceRoom& room, int64_t on_cpu, int64_t on_gpu) {
  return room.device_class == DeviceClass::kCpu ? on_cpu : on_gpu;
}

}  // namespace

std::vector<DeviceRoom> RoomsOf(const SchedulerState& state, const WorkerState& worker) {
  std::vector<DeviceRoom> rooms;
  for (const v1::Device& device : worker.devices) rooms.push_back(RoomOn(state, worker, device));
  return rooms;
}

std::vector<DeviceRoom> FreeRoomsOf(const SchedulerState& state, const WorkerState& worker) {
  std::vector<DeviceRoom> rooms = RoomsOf(state, worker);
  const auto less = [](const DeviceRoom& a, const DeviceRoom& b) { return a.free < b.free; };
  const bool by_device =
      std::any_of(worker.devices.begin(), worker.devices.end(),
                  [](const v1::Device& device) { return device.free_slots() > 0; });
  if (!by_device) {
    // It chooses the device itself: the one with the most room, for all that is known.
    if (worker.free_slots == 0) return {};
    DeviceRoom any;
    if (!rooms.empty()) any = *std::max_element(rooms.begin(), rooms.end(), less);
    any.device.clear();
    return {any};
  }
  std::vector<DeviceRoom> free;
  for (size_t i = 0; i < rooms.size(); ++i) {
    const int64_t slots = worker.devices[i].free_slots();
    if (slots > Promised(state, worker, rooms[i].device)) free.push_back(rooms[i]);
  }
  std::stable_sort(free.begin(), free.end(), less);
  return free;
}

int64_t PlannedRoom(const SchedulerState& state, const DeviceRoom& room, const std::string& base) {
  if (room.free == INT64_MAX) return INT64_MAX;
  const double factor = state.calibrations.Of(base, room.kind).factor;
  return static_cast<int64_t>(static_cast<double>(room.free) / factor);
}

int64_t ReservedOn(const SchedulerState& state, const DeviceRoom& room, const std::string& base,
                   int64_t planned) {
  const double factor = state.calibrations.Of(base, room.kind).factor;
  const auto bytes = static_cast<int64_t>(std::ceil(static_cast<double>(planned) * factor));
  // Where the plan fits, rounding must not make it a byte too much.
  return std::min(bytes, room.free);
}

bool HasRoomForSome(const SchedulerState& state, const WorkerState& worker,
                    const std::string& base_key, const Queue::NeedsRange& needs) {
  const std::vector<DeviceRoom> rooms = FreeRoomsOf(state, worker);
  return std::any_of(rooms.begin(), rooms.end(), [&](const DeviceRoom& room) {
    return NeedOn(room, needs.least_on_cpu, needs.least_on_gpu) <=
           PlannedRoom(state, room, BaseOf(base_key));
  });
}

bool HasRoomForAll(const SchedulerState& state, const WorkerState& worker,
                   const std::string& base_key, const Queue::NeedsRange& needs) {
  const std::vector<DeviceRoom> rooms = FreeRoomsOf(state, worker);
  return std::any_of(rooms.begin(), rooms.end(), [&](const DeviceRoom& room) {
    return NeedOn(room, needs.most_on_cpu, needs.most_on_gpu) <=
           PlannedRoom(state, room, BaseOf(base_key));
  });
}

}  // namespace mozgach

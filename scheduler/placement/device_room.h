// A DeviceRoom is the memory that a new job could use on a device: what its worker says, less what
// has been promised to others since, or is yet to be taken by them.  Pure functions of the state.
//
// A device runs one job at a time, and what its trainer holds is given back before the next: what a
// worker says is free includes that.  Workers of one host share its memory: what the jobs of the
// others still have to grow is not free, and what they took after this worker looked is not either.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/step_shape.h"
#include "scheduler/jobs/now.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

struct DeviceRoom {
  std::string device;  // empty: the worker does not say which one it would use
  std::string kind;    // "NVIDIA H200"
  std::string loaded_base;
  std::string memory_pool;
  DeviceClass device_class = DeviceClass::kCpu;
  int64_t total = 0;          // bytes; 0: not known
  int64_t free = INT64_MAX;   // now; INT64_MAX: not known, no bound
  int64_t alone = INT64_MAX;  // were the other workers of its host idle
};

// Every device of `worker`.
std::vector<DeviceRoom> RoomsOf(const SchedulerState& state, const WorkerState& worker);

// Those on which a job would start now, the least room first, so that small jobs leave the large
// ones free.
std::vector<DeviceRoom> FreeRoomsOf(const SchedulerState& state, const WorkerState& worker);

// Bytes that a plan of a job of `base` may come to there: its room, by what earlier jobs took.
int64_t PlannedRoom(const SchedulerState& state, const DeviceRoom& room, const std::string& base);

// What a job that needs `planned` bytes is taken to use there.
int64_t ReservedOn(const SchedulerState& state, const DeviceRoom& room, const std::string& base,
                   int64_t planned);

// True when `worker` has a free device on which the smallest, or every, job fits that waits for
// `base_key`.
bool HasRoomForSome(const SchedulerState& state, const WorkerState& worker,
                    const std::string& base_key, const Queue::NeedsRange& needs);
bool HasRoomForAll(const SchedulerState& state, const WorkerState& worker,
                   const std::string& base_key, const Queue::NeedsRange& needs);

}  // namespace mozgach

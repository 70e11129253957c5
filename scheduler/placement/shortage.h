// A shortage is why a job waits for memory, in numbers, and what would end it.
#pragma once

#include <optional>
#include <string>

#include "scheduler/jobs/now.h"
#include "scheduler/placement/device_room.h"
#include "scheduler/state/scheduler_state.h"

namespace mozgach {

// "needs 9.1 GiB with checkpointing", and what is known of `room`: "… (planned 8.5 GiB ×1.07 from
// 12 attempts on AMD EPYC)".
std::string ShowNeeds(const SchedulerState& state, const JobShape& shape, const DeviceRoom& room);

// The device of `worker` with the most room for a job of `shape`; empty: it has told of none.
std::optional<DeviceRoom> RoomiestOf(const SchedulerState& state, const WorkerState& worker,
                                     const JobShape& shape);

// Whether the job fits there now.
bool Fits(const SchedulerState& state, const JobShape& shape, const DeviceRoom& room);

// "needs 9.1 GiB with checkpointing; cuda:0 has 4.0 GiB free of 16.0 GiB"; "" where `worker` has
// room.
std::string Shortage(const SchedulerState& state, const WorkerState& worker, const JobShape& shape);

// The same of all workers that have the base, with the name of the roomiest; "" where one has room.
std::string ShortageEverywhere(const SchedulerState& state, const Now& now, const JobShape& shape);

// "it would fit with: data.max_length: 512; a device with 21.3 GiB; …"; "" where it fits somewhere.
std::string WhatWouldHelp(const SchedulerState& state, const Now& now, const JobShape& shape);

// How a job is planned that waits: "its plan: 200.1 MiB on a CPU, …", or why it is not planned.
std::string AboutPlan(const SchedulerState& state, const JobShape& shape);

}  // namespace mozgach

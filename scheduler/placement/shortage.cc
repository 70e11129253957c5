#include "scheduler/placement/shortage.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/size_text.h"
#include "planner/variants.h"
#include "scheduler/placement/base_dispatch.h"

namespace mozgach {
namespace {

constexpr char kVariants[] = "one of the variants";

std::string Size(int64_t bytes) { return FormatSize(static_cast<uint64_t>(bytes)); }

const char* NameOf(const DeviceRoom& room) {
  if (!room.device.empty()) return room.device.c_str();
  return room.device_class == DeviceClass::kCpu ? "cpu" : "its device";
}

std::string ShowRoom(const DeviceRoom& room) {
  return absl::StrCat(NameOf(room), " has ", Size(room.free), " free of ", Size(room.total));
}

// The roomiest device of the workers that have the base of `shape`.
struct Place {
  const WorkerState* worker = nullptr;
  DeviceRoom room;
};

std::optional<Place> Roomiest(const SchedulerState& state, const Now& now, const JobShape& shape) {
  std::optional<Place> best;
  for (const auto& [name, worker] : state.worker_table.workers()) {
    if (WorkerTable::IsLost(worker, now, state.config.lease)) continue;
    if (worker.keys.count(shape.base_key) == 0 && !CouldFetch(state, worker, shape.base_key)) {
      continue;
    }
    const std::optional<DeviceRoom> room = RoomiestOf(state, worker, shape);
    if (!room.has_value()) continue;
    const auto fits = [&](const DeviceRoom& each) { return Fits(state, shape, each); };
    if (best.has_value() && (fits(best->room) || (!fits(*room) && room->free <= best->room.free))) {
      continue;
    }
    best = Place{&worker, *room};
  }
  return best;
}

}  // namespace

std::string ShowNeeds(const SchedulerState& state, const JobShape& shape, const DeviceRoom& room) {
  const int64_t planned = shape.needs.On(room.device_class);
  const Calibration calibration = state.calibrations.Of(shape.base, room.kind);
  const auto needed = static_cast<int64_t>(static_cast<double>(planned) * calibration.factor);
  const std::string words =
      absl::StrCat("needs ", Size(needed), shape.needs.checkpoints ? " with checkpointing" : "");
  if (calibration.attempts == 0) return words;
  return absl::StrCat(words, " (planned ", Size(planned), ShowCalibration(calibration, room.kind),
                      ")");
}

std::optional<DeviceRoom> RoomiestOf(const SchedulerState& state, const WorkerState& worker,
                                     const JobShape& shape) {
  std::optional<DeviceRoom> best;
  const auto spare = [&](const DeviceRoom& room) {
    return PlannedRoom(state, room, shape.base) - shape.needs.On(room.device_class);
  };
  for (const DeviceRoom& room : RoomsOf(state, worker)) {
    if (!best.has_value() || spare(room) > spare(*best)) best = room;
  }
  return best;
}

bool Fits(const SchedulerState& state, const JobShape& shape, const DeviceRoom& room) {
  return shape.needs.On(room.device_class) <= PlannedRoom(state, room, shape.base);
}

std::string Shortage(const SchedulerState& state, const WorkerState& worker,
                     const JobShape& shape) {
  const std::optional<DeviceRoom> room = RoomiestOf(state, worker, shape);
  if (!room.has_value() || Fits(state, shape, *room)) return "";
  return absl::StrCat(ShowNeeds(state, shape, *room), "; ", ShowRoom(*room));
}

std::string ShortageEverywhere(const SchedulerState& state, const Now& now, const JobShape& shape) {
  const std::optional<Place> place = Roomiest(state, now, shape);
  if (!place.has_value() || Fits(state, shape, place->room)) return "";
  return absl::StrCat(ShowNeeds(state, shape, place->room), "; ", place->worker->name, " ",
                      ShowRoom(place->room));
}

std::string WhatWouldHelp(const SchedulerState& state, const Now& now, const JobShape& shape) {
  const std::optional<Place> place = Roomiest(state, now, shape);
  const BaseConfig* config = state.configs.Find(shape.base);
  if (!place.has_value() || config == nullptr || !config->config.ok()) return "";
  const DeviceRoom& room = place->room;
  if (Fits(state, shape, room)) return "";
  DeviceRoom whole = room;
  whole.free = room.total;
  if (Fits(state, shape, whole)) {
    return absl::StrCat(
        "it fits ", place->worker->name, " ", NameOf(room), " once ",
        Size(shape.needs.On(room.device_class) - PlannedRoom(state, room, shape.base)),
        " more are free there: something else takes them now");
  }
  const absl::StatusOr<MemoryWish> wish = ReadMemorySettings(shape.settings);
  if (!wish.ok()) return "";
  const PlanTarget target{.device = room.device_class,
                          .memory_bytes = room.total,
                          .threads = kUsualThreads,
                          .factor = state.calibrations.Of(shape.base, room.kind).factor};
  absl::StatusOr<std::vector<std::string>> changes =
      WhatWouldFit(*config->config, wish->spec, target, wish->rows);
  if (!changes.ok()) return "";
  for (std::string& change : *changes) {
    if (change == kVariants) {
      change =
          absl::StrCat("what `mozgachctl plan FILE --worker ", place->worker->name, "` prints");
    }
  }
  return absl::StrCat("it would fit with: ", absl::StrJoin(*changes, "; "));
}

std::string AboutPlan(const SchedulerState& state, const JobShape& shape) {
  if (shape.needs.gpu_bytes > 0) {
    return absl::StrCat("needs at least: ", Size(shape.needs.gpu_bytes), " on a GPU, ",
                        Size(shape.needs.cpu_bytes), " on a CPU",
                        shape.stepped_down ? ", after memory ran out in an earlier attempt" : "");
  }
  const BaseConfig* config = state.configs.Find(shape.base);
  if (config == nullptr) {
    return absl::StrCat(
        "its memory is not planned: the scheduler does not know the config.json of ", shape.base);
  }
  return absl::StrCat("its memory is not planned: ",
                      config->config.ok() ? "its settings do not go with its base"
                                          : std::string(config->config.status().message()));
}

}  // namespace mozgach

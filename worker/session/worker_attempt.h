// A WorkerAttempt is one lease of one job as this worker lives it: its data and its base on the way
// here, its turn in the trainer, its adapter on the way back, and the last word about it.
//
// Plain values, owned by the Session; nothing here touches a file or a clock.
//
//   kFetching ─► kWaiting ─► kInTrainer ─► kUploading ─► kFinished
//        └───────────┴────────────┴─────────────┴──────► kFailed
//   any of them ─► kStopping (until the trainer has let go of it) ─► gone, or kStopped
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/status.h"
#include "mozgach/v1/worker_service.pb.h"

namespace mozgach {

struct AttemptId {
  int64_t job = 0;
  int64_t attempt = 0;

  auto operator<=>(const AttemptId&) const = default;
  std::string Name() const;  // "17-2": its folder and its log
};

// Where the datasets of an attempt lie on this host; absolute paths.
struct DatasetPaths {
  std::vector<std::string> train;
  std::string validation;  // empty: none
  std::string test;        // empty: none
};

// What the scheduler assigned.
struct Work {
  AttemptId id;
  std::string domain;
  std::string base;      // as on the hub
  std::string revision;  // empty: none asked for
  std::string spec_json;
  std::vector<v1::Dataset> datasets;
  std::string pinned_json;  // what an earlier attempt chose by measurement; empty: none
};

// INVALID_ARGUMENT if the spec is not a JSON object that names a base. The trainer checks the rest.
absl::StatusOr<Work> ReadWork(const v1::Assignment& assignment);

enum class AttemptState {
  kFetching,   // datasets, or the base, on the way
  kWaiting,    // for a trainer that is up, and for a lease that holds
  kInTrainer,  // sent; `phase` says how far it is
  kUploading,
  kFinished,  // every file is with the scheduler; `result` is set
  kFailed,    // `failure` is set
  kStopping,  // over, but the trainer has not let go of it yet
  kStopped,   // told to stop, and did
};

struct WorkerAttempt {
  Work work;
  int device = 0;       // index
  int64_t arrival = 0;  // attempts of a device run in this order
  AttemptState state = AttemptState::kFetching;
  bool reported = true;   // false: the scheduler dropped it, it is only being cleaned up
  bool job_over = false;  // published or cancelled: no other attempt follows

  std::string base_dir;         // empty: it is being fetched
  bool data_here = false;       // `data` is set
  bool checkpoint_here = true;  // false: that of another worker is on its way
  DatasetPaths data;

  v1::AttemptReport::Phase phase = v1::AttemptReport::PREPARING;  // phase of the trainer
  bool heard_of = false;                                          // the trainer has spoken of it
  int sends = 0;            // to a trainer; a second one is for a trainer that died before it began
  double step_seconds = 0;  // running mean
  Milliseconds last_step_at{-1};
  Milliseconds longest_silence{0};  // longest pause between two lines of its trainer

  std::string stepped_down;  // how the training needs less since memory ran out; empty: it did not

  int64_t checkpoint_written = 0;  // step of the newest that its trainer left here
  bool checkpoint_uploads = false;
  v1::Checkpoint checkpoint;  // the newest that the scheduler has; of step 0: none
  bool hands_back =
      false;            // another worker goes on with it: its checkpoint is uploaded before it ends
  bool let_go = false;  // kStopping: its trainer is done with it, its checkpoint is not

  v1::Progress progress;
  v1::Result result;
  v1::Failure failure;

  Milliseconds lease_ends{0};     // on the worker's monotonic clock
  Milliseconds stop_deadline{0};  // kStopping: the trainer is killed then

  // True while it needs a turn of the trainer, or has it.
  bool OccupiesDevice() const;
  v1::AttemptReport::Phase ReportedPhase() const;
};

// `pinned_json` with the next rung of the trainer's ladder (docs/trainer_protocol.md,
// `stepped_down`).
std::string OneRungLower(const std::string& pinned_json);

// What the scheduler is told of `attempt`, which runs on the device called `device`.
v1::AttemptReport ReportOf(const WorkerAttempt& attempt, const std::string& device);

}  // namespace mozgach

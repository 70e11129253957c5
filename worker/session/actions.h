// What a Session wants done.  The worker (or a simulation) does it and tells the session how it
// went.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "worker/session/call_schedule.h"
#include "worker/session/worker_attempt.h"

namespace mozgach {

// Answer: TrainerSaid(ready), or TrainerExited when it could not be started.
struct StartTrainer {
  int device = 0;
};
// Kill the whole process group.  Answer: TrainerExited.
struct KillTrainer {
  int device = 0;
};
// Ask it to exit, which makes it write a checkpoint; kill it when it does not go.  Answer:
// TrainerExited.
struct EndTrainer {
  int device = 0;
};
// A `train` line.  Answers: TrainerSaid.
struct SendTraining {
  int device = 0;
  AttemptId id;
  std::string spec_json;
  std::string base_dir;
  DatasetPaths data;
  std::string pinned_json;
};
// A `cancel` line.  Answer: TrainerSaid(cancelled), or the end the job came to first.
struct CancelTraining {
  int device = 0;
  AttemptId id;
  bool save = false;  // a checkpoint first
};
// Answer: DatasetsFetched.
struct FetchDatasets {
  AttemptId id;
  std::vector<v1::Dataset> datasets;
};
// Bring the checkpoint of another worker here.  Answer: CheckpointFetched.
struct FetchHandover {
  AttemptId id;
  v1::Checkpoint checkpoint;
};
// Take the checkpoint of this step to the scheduler.  Answer: CheckpointUploaded.
struct UploadHandover {
  AttemptId id;
  int64_t step = 0;
};
// Bring the base here, if it is not.  Answers: BaseProgress now and then, BaseFetched at the end.
struct FetchBase {
  AttemptId id;
  v1::BaseManifest base;
};
// Every file its trainer has left.  Answer: Uploaded.
struct UploadAdapter {
  AttemptId id;
};
// Stop fetching or uploading for it; no answer is waited for.
struct AbortTransfers {
  AttemptId id;
};
// Its files go; the checkpoints of its job as well where `job_over`.
struct ForgetAttempt {
  AttemptId id;
  bool job_over = false;
};
struct WriteLog {
  AttemptId id;
  std::string line;
};
// Look below --bases, and at what has been fetched, again.  Answer: BasesFound.
struct RescanBases {};
// Synchronize.  Answer: Answered or CallFailed with the call's number.
struct MakeCall {
  CallSchedule::Call call;
  v1::SynchronizeRequest request;
};

using Action = std::variant<StartTrainer, KillTrainer, EndTrainer, SendTraining, CancelTraining,
                            FetchDatasets, FetchBase, FetchHandover, UploadHandover, UploadAdapter,
                            AbortTransfers, ForgetAttempt, WriteLog, RescanBases, MakeCall>;

}  // namespace mozgach

// What a trainer says, line by line (docs/trainer_protocol.md), as structs.
//
// The reader is tolerant: keys it does not know are passed over, keys that are missing keep their
// defaults; a line that is not an event of this protocol is an error with the reason, never a
// crash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/status.h"
#include "worker/session/worker_attempt.h"

namespace mozgach {

struct TrainerReady {
  std::string version;
  std::string device_name;  // "cpu"
  std::string device_kind;  // "AMD EPYC"
  uint64_t memory_total_bytes = 0;
  uint64_t memory_free_bytes = 0;
};

// Memory of a GPU while its trainer is idle.
struct TrainerMemory {
  uint64_t free_bytes = 0;
  uint64_t used_bytes = 0;  // by the trainer itself
};

struct TrainerBaseLoaded {
  std::string base;
  double seconds = 0;
  uint64_t base_loads = 0;  // since the trainer started
};

struct TrainerPhase {
  AttemptId id;
  v1::AttemptReport::Phase phase = v1::AttemptReport::PREPARING;
  std::string data_json;  // counts of rows and tokens, where they are known; empty otherwise
};

struct TrainerStarted {
  AttemptId id;
  int64_t step = 0;  // it goes on from here
  int64_t steps = 0;
  int64_t train_rows = 0;
  int64_t trainable_parameters = 0;
  std::optional<double> mean_loss;    // mean over the steps before; absent: unknown
  uint64_t memory_planned_bytes = 0;  // its peak, as the plan has it; 0: not said
  std::string pinned_json = "{}";     // what it chose by measurement
};

// The data of an attempt that waits is read and tokenised.
struct TrainerPrepared {
  AttemptId id;
  int64_t rows = 0;
  int64_t tokens = 0;
  double seconds = 0;
};

// Memory ran out; the training goes on and needs less.
struct TrainerSteppedDown {
  AttemptId id;
  std::string message;
  std::string pinned_json = "{}";  // for every later attempt
};

struct TrainerStep {
  AttemptId id;
  int64_t step = 0;
  int64_t steps = 0;
  // Not finite where the trainer says null or nothing.
  double loss = 0;       // mean since the last logged step
  double step_loss = 0;  // loss of this step alone
  double mean_loss = 0;  // running mean
  double learning_rate = 0;
  int64_t tokens = 0;
  double tokens_per_second = 0;
  uint64_t memory_peak_bytes = 0;
};

struct TrainerEvaluation {
  AttemptId id;
  int64_t step = 0;
  std::string metrics_json = "{}";
};

// The attempt makes progress, and there is nothing else to say.
struct TrainerAlive {
  AttemptId id;
};

struct TrainerCheckpoint {
  AttemptId id;
  int64_t step = 0;
};

struct TrainerDone {
  AttemptId id;
  std::string metrics_json = "{}";
  std::string base_digest;
  std::string code_version;
  int64_t train_rows = 0;
  double train_seconds = 0;
  uint64_t memory_peak_bytes = 0;
  uint64_t memory_bytes = 0;  // resident, everything but the base freed
};

struct TrainerFailed {
  std::optional<AttemptId> id;  // absent: a `load` failed
  v1::Failure failure;
};

struct TrainerCancelled {
  AttemptId id;
};

// A line of ours that the trainer took for no request.
struct TrainerComplaint {
  std::string message;
};

using TrainerEvent =
    std::variant<TrainerReady, TrainerMemory, TrainerBaseLoaded, TrainerPhase, TrainerStarted,
                 TrainerPrepared, TrainerSteppedDown, TrainerStep, TrainerEvaluation, TrainerAlive,
                 TrainerCheckpoint, TrainerDone, TrainerFailed, TrainerCancelled, TrainerComplaint>;

// INVALID_ARGUMENT: not a JSON object, a key of the wrong type, an event without its job.
// UNIMPLEMENTED: an event of a name this version does not know.
absl::StatusOr<TrainerEvent> ParseTrainerEvent(std::string_view line);

}  // namespace mozgach

// How an attempt can end without a version, and what that means for its job.  Pure functions.
#pragma once

#include <string>

#include "mozgach/v1/worker_service.pb.h"
#include "scheduler/jobs/config.h"
#include "scheduler/jobs/job.h"

namespace mozgach {

enum class FailureClass {
  kUser,            // the domain file asks for what can't be: final
  kData,            // the dataset or the base is wrong, or the training diverged: final
  kOutOfMemory,     // counted
  kUnknown,         // counted
  kInfrastructure,  // trainer died, disk full: uses up no attempt, backs off
  kLost,            // the lease ended: uses up no attempt
  kStopped,         // the worker ended or drained: uses up no attempt
};

// "user", "data", "out_of_memory", "unknown", "infrastructure", "lost", "stopped".
const char* Name(FailureClass failure);
FailureClass FailureClassFrom(v1::Failure::Class failure);

// What an attempt's row says afterwards: "failed", "lost" or "stopped".
const char* AttemptStateAfter(FailureClass failure);

// What becomes of a running job.
struct Verdict {
  JobState state;  // kQueued or kFailed
  int64_t failures;
  int64_t disturbances;
  Milliseconds back_off{};  // before it may be claimed again
  std::string reason;
};

// `message` is the worker's, or ours, about this failure.
Verdict Judge(const Job& job, FailureClass failure, const std::string& message,
              const SchedulerConfig& config);

}  // namespace mozgach

#include "scheduler/jobs/failure.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

Milliseconds BackOff(int64_t disturbances, const SchedulerConfig& config) {
  const int64_t doublings = std::clamp<int64_t>(disturbances - 1, 0, 20);
  return std::min(config.back_off * (int64_t{1} << doublings), config.back_off_max);
}

Verdict JudgeCounted(const Job& job, const std::string& message, const SchedulerConfig& config) {
  const int64_t failures = job.failures + 1;
  if (failures >= config.failures_max) {
    return {JobState::kFailed,
            failures,
            job.disturbances,
            {},
            absl::StrCat(message, " (", failures, " attempts failed)")};
  }
  return {JobState::kQueued, failures, job.disturbances, {}, message};
}

Verdict JudgeDisturbance(const Job& job, FailureClass failure, const std::string& message,
                         const SchedulerConfig& config) {
  const int64_t disturbances = job.disturbances + 1;
  if (disturbances >= config.disturbances_max) {
    return {JobState::kFailed,
            job.failures,
            disturbances,
            {},
            absl::StrCat(message, " (given up after ", disturbances,
                         " disturbances; look at the workers, then `mozgachctl retry`)")};
  }
  const bool waits = failure == FailureClass::kInfrastructure;
  return {JobState::kQueued, job.failures, disturbances,
          waits ? BackOff(disturbances, config) : Milliseconds(0), message};
}

}  // namespace

const char* Name(FailureClass failure) {
  constexpr const char* kNames[] = {"user",           "data", "out_of_memory", "unknown",
                                    "infrastructure", "lost", "stopped"};
  return kNames[static_cast<int>(failure)];
}

FailureClass FailureClassFrom(v1::Failure::Class failure) {
  switch (failure) {
    case v1::Failure::USER:
      return FailureClass::kUser;
    case v1::Failure::DATA:
      return FailureClass::kData;
    case v1::Failure::OUT_OF_MEMORY:
      return FailureClass::kOutOfMemory;
    case v1::Failure::INFRASTRUCTURE:
      return FailureClass::kInfrastructure;
    default:
      return FailureClass::kUnknown;
  }
}

const char* AttemptStateAfter(FailureClass failure) {
  if (failure == FailureClass::kLost) return "lost";
  return failure == FailureClass::kStopped ? "stopped" : "failed";
}

Verdict Judge(const Job& job, FailureClass failure, const std::string& message,
              const SchedulerConfig& config) {
  switch (failure) {
    case FailureClass::kUser:
    case FailureClass::kData:
      return {JobState::kFailed, job.failures + 1, job.disturbances, {}, message};
    case FailureClass::kOutOfMemory:
    case FailureClass::kUnknown:
      return JudgeCounted(job, message, config);
    case FailureClass::kStopped:
      return {JobState::kQueued, job.failures, job.disturbances, {}, message};
    default:
      return JudgeDisturbance(job, failure, message, config);
  }
}

}  // namespace mozgach

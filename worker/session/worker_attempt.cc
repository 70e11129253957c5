#include "worker/session/worker_attempt.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"

namespace mozgach {

std::string AttemptId::Name() const { return absl::StrCat(job, "-", attempt); }

absl::StatusOr<Work> ReadWork(const v1::Assignment& assignment) {
  Work work{.id = {assignment.job(), assignment.attempt()},
            .domain = assignment.domain(),
            .spec_json = assignment.spec_json(),
            .datasets = {assignment.datasets().begin(), assignment.datasets().end()},
            .pinned_json = assignment.pinned_json()};
  const auto parsed = ParseJson(work.spec_json);
  const auto spec = parsed.ok() ? *parsed : nlohmann::json();
  const auto text = [&](const char* key) {
    const bool there = spec.is_object() && spec.contains(key) && spec[key].is_string();
    return there ? spec[key].get<std::string>() : std::string();
  };
  work.base = text("base");
  work.revision = text("revision");
  if (work.base.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", work.id.job,
                     ": its spec is not a JSON object that names a base; submit the domain again"));
  }
  return work;
}

bool WorkerAttempt::OccupiesDevice() const {
  return state == AttemptState::kFetching || state == AttemptState::kWaiting ||
         state == AttemptState::kInTrainer || (state == AttemptState::kStopping && !let_go);
}

v1::AttemptReport::Phase WorkerAttempt::ReportedPhase() const {
  switch (state) {
    case AttemptState::kFetching:
    case AttemptState::kWaiting:
      return v1::AttemptReport::PREPARING;
    case AttemptState::kInTrainer:
    case AttemptState::kStopping:
      return phase;
    case AttemptState::kUploading:
      return v1::AttemptReport::UPLOADING;
    case AttemptState::kFinished:
      return v1::AttemptReport::FINISHED;
    case AttemptState::kFailed:
      return v1::AttemptReport::FAILED;
    case AttemptState::kStopped:
      return v1::AttemptReport::STOPPED;
  }
  return v1::AttemptReport::PHASE_UNSPECIFIED;
}

std::string OneRungLower(const std::string& pinned_json) {
  nlohmann::json pinned = ParseJson(pinned_json).value_or(nlohmann::json::object());
  if (!pinned.is_object()) pinned = nlohmann::json::object();
  const auto found = pinned.find("rung");
  const bool known = found != pinned.end() && found->is_number_integer();
  pinned["rung"] = std::clamp<int64_t>(known ? found->get<int64_t>() : 0, 0, 63) +
                   1;  // as many as a trainer has
  return pinned.dump();
}

v1::AttemptReport ReportOf(const WorkerAttempt& attempt, const std::string& device) {
  v1::AttemptReport report;
  report.set_job(attempt.work.id.job);
  report.set_attempt(attempt.work.id.attempt);
  report.set_phase(attempt.ReportedPhase());
  report.set_device(device);
  report.set_pinned_json(attempt.work.pinned_json);
  report.set_stepped_down(attempt.stepped_down);
  report.set_ending(attempt.state == AttemptState::kStopping);
  if (attempt.checkpoint.step() > 0) *report.mutable_checkpoint() = attempt.checkpoint;
  *report.mutable_progress() = attempt.progress;
  if (attempt.state == AttemptState::kFinished) *report.mutable_result() = attempt.result;
  if (attempt.state == AttemptState::kFailed) *report.mutable_failure() = attempt.failure;
  return report;
}

}  // namespace mozgach

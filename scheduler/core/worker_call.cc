#include "scheduler/core/worker_call.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/digest.h"
#include "common/json_text.h"
#include "common/log.h"
#include "common/utf8.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "proto/checkpoint.h"
#include "scheduler/core/attempt_life.h"
#include "scheduler/core/checkpoint_handover.h"
#include "scheduler/core/job_planning.h"
#include "scheduler/core/publication.h"
#include "scheduler/placement/quarantine.h"

namespace mozgach {
namespace {

constexpr size_t kFailureBytesMax = 16384;
constexpr size_t kPinBytesMax = 65536;
constexpr size_t kEventBytesMax = 1024;
constexpr int kConfigsAtOnce = 16;
constexpr double kTokensPerSecondMax = 1e9;

std::string PhaseName(v1::AttemptReport::Phase phase) {
  switch (phase) {
    case v1::AttemptReport::PREPARING:
      return "preparing";
    case v1::AttemptReport::TRAINING:
      return "training";
    case v1::AttemptReport::EVALUATING:
      return "evaluating";
    case v1::AttemptReport::UPLOADING:
    case v1::AttemptReport::FINISHED:
      return "uploading";
    default:
      return "";
  }
}

bool IsOver(v1::AttemptReport::Phase phase) {
  return phase == v1::AttemptReport::FINISHED || phase == v1::AttemptReport::FAILED ||
         phase == v1::AttemptReport::STOPPED;
}

// None where a training begins; one that is not a number leaves the last one.
void TakeLosses(const v1::Progress& reported, AttemptProgress& progress) {
  if (progress.step == 0) {
    progress.loss.reset();
    progress.step_loss.reset();
  } else {
    if (std::isfinite(reported.loss())) progress.loss = reported.loss();
    // 0: a worker of an earlier version does not say it.
    const double step_loss = reported.step_loss();
    if (std::isfinite(step_loss) && step_loss != 0) progress.step_loss = step_loss;
  }
  if (reported.has_eval_loss() && std::isfinite(reported.eval_loss())) {
    progress.eval_loss = reported.eval_loss();
  }
}

}  // namespace

absl::StatusOr<Answer> WorkerCall::Run() {
  v1::SynchronizeResponse& response = answer_.response;
  const Milliseconds quiet(static_cast<int64_t>(state_.worker_table.workers().size()));
  const Milliseconds again = std::max(state_.config.call_interval, quiet);
  response.set_scheduler_incarnation(state_.incarnation);
  response.set_lease_ms(static_cast<uint64_t>(state_.config.lease.count()));
  response.set_call_again_ms(
      static_cast<uint64_t>(std::min(again, state_.config.WaitMax()).count()));
  if (!held_) {
    ASSIGN_OR_RETURN(const WorkerTable::Arrival arrival,
                     state_.worker_table.Arrive(now_, request_));
    if (arrival == WorkerTable::Arrival::kOvertaken) {
      return absl::AbortedError("a later call of this worker has been answered already");
    }
    response.set_replaced(arrival == WorkerTable::Arrival::kReplaced);
  } else {
    const WorkerState* worker = state_.worker_table.Find(request_.worker());
    response.set_replaced(worker == nullptr || worker->incarnation != request_.incarnation());
  }
  if (response.replaced()) {
    state_.counters.stale_reports += held_ ? 0 : request_.attempts_size();
    answer_.news = true;
    return std::move(answer_);
  }
  if (!held_) HearConfigs();
  if (request_.attempts_size() > 0 && request_.scheduler_incarnation() != state_.incarnation) {
    // Leased before a restore: the numbers mean something else by now.
    response.set_drain(state_.worker_table.Find(request_.worker())->drain);
    if (!held_) state_.counters.stale_reports += request_.attempts_size();
    answer_.news = true;
    return std::move(answer_);
  }
  for (const v1::AttemptReport& report : request_.attempts()) {
    if (named_.emplace(report.job(), report.attempt()).second) Hear(report);
  }
  RemindOfUnreported();
  GiveWork();
  state_.worker_table.Find(request_.worker())->unreported = unreported_;
  response.set_drain(state_.worker_table.Find(request_.worker())->drain);
  if (response.drain() && !request_.draining()) answer_.news = true;
  return std::move(answer_);
}

void WorkerCall::Hear(const v1::AttemptReport& report) {
  const Lease* found = state_.leases.Find(report.job());
  if (found == nullptr || found->attempt != report.attempt() ||
      found->worker != request_.worker()) {
    return HearStranger(report);
  }
  const Lease lease = *found;
  if (lease.incarnation != request_.incarnation()) {
    if (absl::Status status = TakeOver(lease); !status.ok()) return Fail(status, lease.job);
  }
  state_.leases.MarkReported(lease.job, request_.incarnation());
  if (!held_) state_.leases.Renew(lease.job, now_.since_boot + state_.config.lease);
  if (IsOver(report.phase())) answer_.news = true;
  TakePin(lease, report);
  TakeCheckpoint(lease, report);
  TakeProgress(report);
  if (report.phase() >= v1::AttemptReport::TRAINING) StartClock(lease);
  switch (report.phase()) {
    case v1::AttemptReport::FINISHED:
      return HearResult(lease, report);
    case v1::AttemptReport::FAILED:
      return End(lease, FailureClassFrom(report.failure().class_()),
                 Abbreviate(report.failure().message(), kFailureBytesMax));
    case v1::AttemptReport::STOPPED:
      return End(lease, FailureClass::kStopped,
                 absl::StrCat("worker ", lease.worker, " stopped it"));
    default:
      break;
  }
  const v1::Assignment::Desired desired = Desired(lease);
  if (desired != v1::Assignment::RUN && !report.ending()) answer_.news = true;
  Assign(lease.job, lease.attempt, desired);
}

v1::Assignment::Desired WorkerCall::Desired(const Lease& lease) const {
  if (lease.stop) return v1::Assignment::STOP;
  const WorkerState& worker = *state_.worker_table.Find(request_.worker());
  return worker.MustHandBack(now_.wall) ? v1::Assignment::HAND_BACK : v1::Assignment::RUN;
}

void WorkerCall::HearConfigs() {
  WorkerState& worker = *state_.worker_table.Find(request_.worker());
  worker.awaited.clear();
  for (const v1::Base& base : request_.bases()) {
    if (!state_.configs.Wants(state_.worker_table, worker.name, base)) continue;
    if (base.config_json().empty() || Sha256Hex(base.config_json()) != base.config_digest()) {
      if (answer_.response.wanted_configs_size() < kConfigsAtOnce) {
        answer_.response.add_wanted_configs(base.name());
        answer_.news = true;
      }
      worker.awaited.insert(base.name());
      continue;
    }
    const absl::Status status = LearnConfig(state_, worker.name, base);
    if (!status.ok()) state_.RecordWriteError(status);
  }
}

absl::Status WorkerCall::TakeOver(const Lease& lease) {
  Transaction transaction(state_.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state_.leases.HandOverRow(lease, request_.incarnation()));
  return COMMIT("scheduler.lease.hand_over", transaction);
}

void WorkerCall::HearStranger(const v1::AttemptReport& report) {
  answer_.news = true;
  const auto attempt = state_.attempts.Find(report.job(), report.attempt());
  const bool its_own =
      attempt.ok() && attempt->has_value() && (*attempt)->worker == request_.worker();
  if (its_own && (*attempt)->state == "succeeded") {
    Assign(report.job(), report.attempt(), v1::Assignment::PUBLISHED);
  } else if (its_own && (*attempt)->state == "publishing") {
    Assign(report.job(), report.attempt(), v1::Assignment::RUN);
  } else if (!its_own || (*attempt)->state == "lost" || !IsOver(report.phase())) {
    // What is left is the repetition of a report that has been heard: its answer was lost.
    ++state_.counters.stale_reports;
  }
}

void WorkerCall::HearResult(const Lease& lease, const v1::AttemptReport& report) {
  // A cancel that was confirmed before the result came stands.
  if (lease.stop) return End(lease, FailureClass::kStopped, "cancelled before its result came");
  const auto refuse = [&](const absl::Status& why) {
    ++state_.counters.publishes["refused"];
    End(lease, FailureClass::kUnknown,
        absl::StrCat("its result cannot be published: ", why.message()));
  };
  const auto job = state_.queue.Get(lease.job);
  if (!job.ok()) return Fail(job.status(), lease.job);
  absl::StatusOr<Version> version = VersionOf(now_, *job, lease.attempt, report.result());
  if (!version.ok()) return refuse(version.status());
  const std::vector<std::string> missing = FindBlobs(state_, *version);
  if (!missing.empty()) {
    v1::Assignment& again = Assign(lease.job, lease.attempt, v1::Assignment::UPLOAD_AGAIN);
    for (const std::string& sha256 : missing) again.add_missing(sha256);
    return;
  }
  const absl::Status weights = CheckWeights(state_, *version);
  if (absl::IsInvalidArgument(weights)) return refuse(weights);
  if (!weights.ok()) return Fail(weights, lease.job);
  const absl::Status status = Publish(state_, now_, *std::move(version), report.result());
  if (absl::IsAborted(status)) {  // the rows say that this attempt is over
    spdlog::error("a result is refused: {}", std::string(status.message()));
    ++state_.counters.publishes["refused"];
    return HearStranger(report);
  }
  if (!status.ok()) {
    ++state_.counters.publishes["error"];
    return Fail(status, lease.job);
  }
  ++answer_.publishes;
  HearItIsWell(state_, lease.worker);
  Assign(lease.job, lease.attempt, v1::Assignment::PUBLISHED);
}

void WorkerCall::TakeProgress(const v1::AttemptReport& report) {
  const ProgressCache::Entry* entry = state_.progress.Find(report.job());
  if (entry == nullptr) return;
  AttemptProgress progress = entry->progress;
  if (!report.device().empty()) progress.device = report.device();
  if (const std::string phase = PhaseName(report.phase()); !phase.empty()) progress.phase = phase;
  if (report.has_progress()) {
    progress.step = report.progress().step();
    progress.steps = report.progress().steps();
    TakeLosses(report.progress(), progress);
    const double speed = report.progress().tokens_per_second();
    progress.tokens_per_second =
        std::isfinite(speed) ? std::clamp(speed, 0.0, kTokensPerSecondMax) : 0;
    progress.memory_peak_bytes = report.progress().memory_peak_bytes();
    progress.memory_planned_bytes = report.progress().memory_planned_bytes();
  }
  if (state_.progress.Record(report.job(), progress, now_.since_boot)) {
    state_.changes.Touch(report.job());
  }
}

void WorkerCall::TakePin(const Lease& lease, const v1::AttemptReport& report) {
  if (report.pinned_json().empty() || report.pinned_json() == lease.pinned_json) return;
  if (report.pinned_json().size() > kPinBytesMax) return;
  const absl::StatusOr<nlohmann::json> pins = ParseJson(report.pinned_json());
  if (!pins.ok() || !pins->is_object() || pins->empty()) return;
  if (absl::Status status = WritePin(lease, report); !status.ok()) {
    state_.RecordWriteError(status);
    return;  // it comes with every report
  }
  state_.leases.MarkPinned(lease.job, report.pinned_json());
}

void WorkerCall::TakeCheckpoint(const Lease& lease, const v1::AttemptReport& report) {
  if (report.checkpoint().step() <= lease.checkpoint_step) return;
  if (!CheckCheckpoint(report.checkpoint()).ok()) return;
  // It comes with every report.
  const absl::Status kept = KeepCheckpoint(state_, lease, report.checkpoint());
  if (!kept.ok()) state_.RecordWriteError(kept);
}

void WorkerCall::StartClock(const Lease& lease) {
  if (lease.time_limit.count() == 0 || lease.trains_since != Milliseconds::max()) return;
  // Where it cannot be written, it begins with the next report.
  if (absl::Status status = state_.leases.StartClockRow(now_.wall, lease); !status.ok()) {
    return state_.RecordWriteError(status);
  }
  state_.leases.MarkTraining(lease.job, now_.since_boot);
}

absl::Status WorkerCall::WritePin(const Lease& lease, const v1::AttemptReport& report) {
  Transaction transaction(state_.database);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const auto details, state_.queue.GetDetails(lease.job));
  ASSIGN_OR_RETURN(const Job job, state_.queue.Get(lease.job));
  if (job.attempt != lease.attempt) return absl::OkStatus();  // the attempt is over
  // The first pin stays, but for what changed when memory ran out.
  const bool first = details.pinned_json.empty();
  if (details.pinned_json == report.pinned_json() || (!first && report.stepped_down().empty())) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(state_.queue.Pin(lease.job, report.pinned_json()));
  if (!report.stepped_down().empty()) {
    RETURN_IF_ERROR(
        state_.events.Append({.time = now_.wall,
                              .job = job.job,
                              .domain = job.domain,
                              .attempt = lease.attempt,
                              .kind = "stepped_down",
                              .actor = lease.worker,
                              .message = Abbreviate(report.stepped_down(), kEventBytesMax)}));
  }
  return COMMIT("scheduler.attempt.pin", transaction);
}

void WorkerCall::End(const Lease& lease, FailureClass failure, const std::string& message) {
  if (absl::Status status = EndAttempt(state_, now_, lease, failure, message); !status.ok()) {
    Fail(status, lease.job);
  }
}

void WorkerCall::Fail(const absl::Status& status, int64_t job) {
  state_.RecordWriteError(status);
  state_.progress.Note(job, absl::StrCat("waits: ", status.message()));
  const Lease* lease = state_.leases.Find(job);
  const auto still = state_.queue.Get(job);
  if (lease != nullptr) {
    Assign(job, lease->attempt, v1::Assignment::RUN);
  } else if (still.ok()) {
    Assign(job, still->attempt, v1::Assignment::RUN);  // between the two transactions
  }
}

}  // namespace mozgach

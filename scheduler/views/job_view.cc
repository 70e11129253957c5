#include "scheduler/views/job_view.h"

#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "scheduler/placement/placement.h"
#include "scheduler/placement/quarantine.h"
#include "scheduler/views/explanation.h"

namespace mozgach {
namespace {

constexpr int kSelectedMax = 100000;

// A step that takes longer is worth a word.
constexpr Milliseconds kStillAfter{60'000};

std::string Shown(WallTime time) { return ToMillis(time) == 0 ? "" : FormatTime(time); }

void ShowJob(const Job& job, v1::Job& view) {
  view.set_job(job.job);
  view.set_domain(job.domain);
  view.set_state(Name(job.state));
  view.set_attempt(job.attempt);
  view.set_priority(job.priority);
  view.set_base(job.base);
  view.set_reason(job.reason);
  view.set_created_at(Shown(job.created));
  view.set_started_at(Shown(job.started));
  view.set_finished_at(Shown(job.finished));
  view.set_retry_of(job.retry_of);
  view.set_spec_digest(job.spec_digest);
  view.set_dataset_digest(job.dataset_digest);
  view.set_cancel_requested(job.cancel_requested);
  view.set_failures(job.failures);
  view.set_failure_class(job.failure_class);
  if (job.version > 0) view.set_version(VersionName(job.version));
}

void ShowProgress(const AttemptProgress& progress, v1::Job& view) {
  view.set_device(progress.device);
  view.set_phase(progress.phase);
  view.set_step(progress.step);
  view.set_steps(progress.steps);
  if (progress.loss.has_value()) view.set_loss(*progress.loss);
  if (progress.eval_loss.has_value()) view.set_eval_loss(*progress.eval_loss);
  view.set_tokens_per_second(progress.tokens_per_second);
  view.set_memory_peak_bytes(progress.memory_peak_bytes);
  view.set_memory_planned_bytes(progress.memory_planned_bytes);
}

// Says how long a training attempt has made no step; "" if its last step is recent.
std::string NoStepFor(const ProgressCache::Entry& live, const Now& now) {
  const Milliseconds still = now.since_boot - live.stepped_at;
  if (live.progress.phase != "training" || still < kStillAfter) return "";
  return absl::StrCat("no step for ", still.count() / 1000, " s");
}

absl::Status ShowAttempt(SchedulerState& state, const Now& now, const Job& job, v1::Job& view) {
  ASSIGN_OR_RETURN(const std::optional<Attempt> attempt, state.attempts.Find(job.job, job.attempt));
  if (!attempt.has_value()) return absl::OkStatus();
  view.set_worker(attempt->worker);
  view.set_train_rows(attempt->train_rows);
  view.set_train_seconds(attempt->train_seconds);
  const ProgressCache::Entry* live = state.progress.Find(job.job);
  ShowProgress(live != nullptr ? live->progress : attempt->progress, view);
  if (job.state != JobState::kRunning) view.clear_phase();
  if (live == nullptr || !job.reason.empty()) return absl::OkStatus();
  view.set_reason(live->note.empty() ? NoStepFor(*live, now) : live->note);
  return absl::OkStatus();
}

// Labels and description out of the spec.
void ShowSpec(const nlohmann::json& spec, v1::Job& view) {
  if (!spec.is_object()) return;
  const auto description = spec.find("description");
  if (description != spec.end() && description->is_string()) {
    view.set_description(description->get<std::string>());
  }
  const auto labels = spec.find("labels");
  if (labels == spec.end() || !labels->is_object()) return;
  for (const auto& [key, value] : labels->items()) {
    if (value.is_string()) (*view.mutable_labels())[key] = value.get<std::string>();
  }
}

v1::WorkerBase ShowBase(const WorkerState& worker, const v1::Base& base) {
  v1::WorkerBase view;
  view.set_base(base.name());
  view.set_size_bytes(base.size_bytes());
  view.set_digest(base.digest());
  view.set_fetched(!base.digest().empty());
  view.set_loaded(HasLoaded(worker, base.name()));
  view.set_problem(base.problem());
  return view;
}

void ShowCalibrations(const SchedulerState& state, const WorkerState& worker, v1::Worker& view) {
  std::set<std::string> kinds;
  for (const v1::Device& device : worker.devices) kinds.insert(device.kind());
  for (const v1::Base& base : worker.bases) {
    for (const std::string& kind : kinds) {
      const Calibration known = state.calibrations.Of(base.name(), kind);
      if (known.attempts == 0) continue;
      v1::Calibration& calibration = *view.add_calibrations();
      calibration.set_base(base.name());
      calibration.set_device_kind(kind);
      calibration.set_factor(known.factor);
      calibration.set_attempts(known.attempts);
    }
  }
}

absl::Status ShowDetails(SchedulerState& state, bool whole, v1::Job& view) {
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(view.job()));
  const absl::StatusOr<nlohmann::json> spec = ParseJson(details.spec_json);
  if (spec.ok()) ShowSpec(*spec, view);
  if (!whole) return absl::OkStatus();
  view.set_spec_json(details.spec_json);
  ASSIGN_OR_RETURN(const std::vector<v1::Dataset> datasets, state.queue.Datasets(view.job()));
  for (const v1::Dataset& dataset : datasets) *view.add_datasets() = dataset;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Job> ViewJob(SchedulerState& state, const Now& now, int64_t number, bool whole) {
  ASSIGN_OR_RETURN(const Job job, state.queue.Get(number));
  v1::Job view;
  ShowJob(job, view);
  if (job.attempt > 0) RETURN_IF_ERROR(ShowAttempt(state, now, job, view));
  RETURN_IF_ERROR(ShowDetails(state, whole, view));
  if (job.state == JobState::kQueued) {
    view.set_reason(WhyItWaits(state, now, job));
    const JobShape shape = state.shapes.Get(job.shape).value_or(JobShape());
    view.set_memory_needed_bytes(static_cast<uint64_t>(shape.needs.gpu_bytes));
    view.set_memory_needed_on_cpu_bytes(static_cast<uint64_t>(shape.needs.cpu_bytes));
  }
  if (job.state == JobState::kSucceeded && job.version > 0) {
    const absl::StatusOr<Version> version =
        state.adapters.Get(job.domain, VersionName(job.version));
    // Retention may have removed it.
    if (!version.ok() && !absl::IsNotFound(version.status())) return version.status();
    if (version.ok()) view.set_metrics_json(version->metrics_json);
  }
  return view;
}

const char* StateOf(const SchedulerState& state, const Now& now, const WorkerState& worker) {
  if (WorkerTable::IsAwaited(worker, now, state.config.lease)) return "awaited";
  if (WorkerTable::IsLost(worker, now, state.config.lease)) return "lost";
  if (worker.drain || worker.draining) return "draining";
  return IsQuarantined(worker, now) ? "quarantined" : "up";
}

v1::Worker ViewWorker(const SchedulerState& state, const Now& now, const WorkerState& worker) {
  v1::Worker view;
  view.set_worker(worker.name);
  const bool quarantined = IsQuarantined(worker, now);
  view.set_state(StateOf(state, now, worker));
  if (worker.drain) view.set_drain_by(Shown(worker.drain_by));
  if (quarantined) {
    view.set_quarantine_reason(worker.health.reason);
    view.set_quarantined_until(
        Shown(now.wall + (worker.health.quarantined_until - now.since_boot)));
  }
  for (const v1::Base& base : worker.bases) {
    if (base.problem().empty()) view.add_bases(base.name());
    *view.add_base_details() = ShowBase(worker, base);
  }
  for (const v1::BaseFetch& fetch : worker.base_fetches) *view.add_base_fetches() = fetch;
  view.set_base_room_bytes(worker.base_room_bytes);
  for (const int64_t job : state.leases.JobsOf(worker.name)) view.add_jobs(job);
  view.set_base_loads(worker.base_loads);
  view.set_memory_bytes(worker.memory_bytes);
  for (const v1::Device& device : worker.devices) *view.add_devices() = device;
  ShowCalibrations(state, worker, view);
  view.set_last_call_at(Shown(worker.last_call));
  view.set_version(worker.version);
  view.set_trainer_restarts(worker.trainer_restarts);
  return view;
}

absl::StatusOr<std::vector<int64_t>> Select(SchedulerState& state, const v1::Selector& selector,
                                            bool all_by_default) {
  if (selector.domains_size() > kSelectedMax || selector.jobs_size() > kSelectedMax) {
    return absl::InvalidArgumentError("more than 100000 domains or jobs in one selection");
  }
  const bool nothing = selector.domains().empty() && selector.jobs().empty();
  if (nothing && selector.all()) return state.queue.Every();
  if (nothing && all_by_default) return state.queue.Latest();
  if (nothing)
    return absl::InvalidArgumentError("nothing is selected: name domains or jobs, or all");
  std::vector<int64_t> jobs;
  std::set<int64_t> seen;
  for (const std::string& domain : selector.domains()) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> latest, state.queue.LatestOf(domain));
    if (!latest.has_value()) {
      return absl::NotFoundError(absl::StrCat("there is no job of a domain '", domain,
                                              "'; `mozgachctl ps` shows those there are"));
    }
    std::vector<int64_t> found = {*latest};
    if (selector.all()) {
      ASSIGN_OR_RETURN(found, state.queue.OfDomain(domain));
    }
    for (const int64_t job : found) {
      if (seen.insert(job).second) jobs.push_back(job);
    }
  }
  for (const int64_t job : selector.jobs()) {
    RETURN_IF_ERROR(state.queue.Get(job).status());
    if (seen.insert(job).second) jobs.push_back(job);
  }
  return jobs;
}

}  // namespace mozgach

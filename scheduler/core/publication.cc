#include "scheduler/core/publication.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/json_text.h"
#include "common/log.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "registry/adapter_bytes.h"
#include "registry/file_name.h"
#include "registry/manifest.h"
#include "scheduler/core/checkpoint_handover.h"
#include "scheduler/jobs/kept_blobs.h"
#include "scheduler/state/activity_log.h"

namespace mozgach {
namespace {

constexpr size_t kMetricsBytesMax = 1 << 16;
constexpr size_t kTextBytesMax = 4096;

// null is how JSON has a number that is not finite.
absl::Status CheckSide(const std::string& side, const nlohmann::json& values) {
  if (side != "base" && side != "adapter") {
    return absl::InvalidArgumentError("metrics of something that is neither base nor adapter");
  }
  const bool numbers =
      values.is_object() && std::all_of(values.begin(), values.end(), [](auto& value) {
        return value.is_number() || value.is_null();
      });
  if (numbers) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("metrics of the ", side, " that are not numbers"));
}

// {"base": {name: number}, "adapter": {name: number}}; a side may be missing.
absl::StatusOr<std::string> CanonicalMetrics(const std::string& text) {
  if (text.empty()) return std::string("{}\n");
  if (text.size() > kMetricsBytesMax) {
    return absl::InvalidArgumentError("metrics of more than 64 KiB");
  }
  const absl::StatusOr<nlohmann::json> parsed = ParseJson(text);
  if (!parsed.ok()) return Annotate(parsed.status(), "metrics");
  const nlohmann::json& metrics = *parsed;
  if (!metrics.is_object()) return absl::InvalidArgumentError("metrics that are not a JSON object");
  for (const auto& [side, values] : metrics.items()) RETURN_IF_ERROR(CheckSide(side, values));
  return metrics.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::Status Abandon(SchedulerState& state, const Now& now, const Version& version) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state.adapters.Abandon(version));
  ASSIGN_OR_RETURN(Job job, state.queue.Get(version.job));
  const bool cancelled = job.cancel_requested;
  if (cancelled) {
    RETURN_IF_ERROR(state.queue.End(now.wall, job, JobState::kCancelled).status());
  } else {
    ++job.disturbances;
    job.reason = "the staged files of its version are gone; it is trained again";
    RETURN_IF_ERROR(state.queue.Requeue(now.wall, job).status());
  }
  RETURN_IF_ERROR(state.attempts
                      .End(now.wall, version.job, version.attempt, "publishing",
                           cancelled ? "cancelled" : "lost", cancelled ? "" : "infrastructure",
                           job.reason)
                      .status());
  RETURN_IF_ERROR(state.events.Append({.time = now.wall,
                                       .job = job.job,
                                       .domain = job.domain,
                                       .attempt = version.attempt,
                                       .kind = cancelled ? "cancelled" : "requeued",
                                       .actor = "scheduler",
                                       .message = job.reason}));
  RETURN_IF_ERROR(COMMIT("scheduler.publication.abandon", transaction));
  if (cancelled) {
    ++state.counters.jobs_finished[Name(JobState::kCancelled)];
    ++state.counters.attempts_ended["cancelled"];
  } else {
    state.wakeups.base_keys.insert(job.base_key);
  }
  state.progress.Erase(job.job);
  state.changes.Touch(job.job);
  return absl::OkStatus();
}

// Transaction 2.
absl::Status RecordSuccess(SchedulerState& state, const Now& now, const Version& version) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state.adapters.MarkPublished(version));
  ASSIGN_OR_RETURN(Job job, state.queue.Get(version.job));
  job.version = version.number;
  job.reason.clear();
  job.failure_class.clear();
  ASSIGN_OR_RETURN(const bool ended, state.queue.End(now.wall, job, JobState::kSucceeded));
  ASSIGN_OR_RETURN(const bool closed, state.attempts.End(now.wall, version.job, version.attempt,
                                                         "publishing", "succeeded", "", ""));
  if (!ended || !closed) {
    return absl::InternalError(
        absl::StrCat("job ", job.job, " is not publishing attempt ", version.attempt));
  }
  RETURN_IF_ERROR(state.events.Append({.time = now.wall,
                                       .job = version.job,
                                       .domain = version.domain,
                                       .attempt = version.attempt,
                                       .kind = "published",
                                       .actor = "scheduler",
                                       .message = VersionName(version.number)}));
  return COMMIT("scheduler.publication.succeed", transaction);
}

absl::Status DropBlobs(SchedulerState& state, const Version& version) {
  std::vector<std::string> sha256s;
  for (const VersionFile& file : version.files) sha256s.push_back(file.sha256);
  return DropUnneededBlobs(state.database, state.blobs, sha256s);
}

// What a finished attempt took, against what it was planned to take.
struct Observation {
  std::string device_kind;
  uint64_t planned = 0;
  uint64_t peak = 0;
};

// Empty where it says nothing about plans: the device is not known any more, or memory ran out, so
// that the plan was not carried out.
std::optional<Observation> Observe(SchedulerState& state, int64_t job) {
  const ProgressCache::Entry* entry = state.progress.Find(job);
  const Lease* lease = state.leases.Find(job);
  if (entry == nullptr || lease == nullptr) return std::nullopt;
  const AttemptProgress& progress = entry->progress;
  const WorkerState* worker = state.worker_table.Find(lease->worker);
  const absl::StatusOr<Queue::Details> details = state.queue.GetDetails(job);
  if (worker == nullptr || !details.ok() || HasSteppedDown(details->pinned_json) ||
      progress.memory_planned_bytes == 0 || progress.memory_peak_bytes == 0) {
    return std::nullopt;
  }
  for (const v1::Device& device : worker->devices) {
    if (device.name() != progress.device) continue;
    return Observation{device.kind(), progress.memory_planned_bytes, progress.memory_peak_bytes};
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Version> VersionOf(const Now& now, const Job& job, int64_t attempt,
                                  const v1::Result& result) {
  Version version;
  for (const v1::File& file : result.files()) {
    if (file.path() == kManifestName || file.path() == kMetricsName) continue;
    RETURN_IF_ERROR(CheckAdapterFile(file.path()));
    version.files.push_back({file.path(), file.sha256(), file.size()});
  }
  RETURN_IF_ERROR(CheckVersionFiles(version.files));
  if (result.base_digest().size() > kTextBytesMax || result.code_version().size() > kTextBytesMax) {
    return absl::InvalidArgumentError("a base digest or code version of more than 4096 bytes");
  }
  ASSIGN_OR_RETURN(version.metrics_json, CanonicalMetrics(result.metrics_json()));
  version.domain = job.domain;
  version.job = job.job;
  version.attempt = attempt;
  version.base = job.base;
  version.base_digest = result.base_digest();
  version.spec_digest = job.spec_digest;
  version.dataset_digest = job.dataset_digest;
  version.code_version = result.code_version();
  version.published_at = now.wall;
  return version;
}

std::vector<std::string> FindBlobs(const SchedulerState& state, Version& version) {
  std::vector<std::string> missing;
  for (VersionFile& file : version.files) {
    const absl::StatusOr<BlobStore::Stat> stat = state.blobs.Find(file.sha256);
    if (stat.ok() && stat->complete) {
      file.size = stat->bytes;
    } else {
      missing.push_back(file.sha256);
    }
  }
  return missing;
}

absl::Status CheckWeights(const SchedulerState& state, const Version& version) {
  return CheckAdapterFiles(version.files, version.base,
                           [&](const VersionFile& file) { return state.blobs.Path(file.sha256); });
}

absl::Status RecordIntent(SchedulerState& state, const Now& now, const Version& version,
                          const v1::Result& result) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  ASSIGN_OR_RETURN(const Job job, state.queue.Get(version.job));
  ASSIGN_OR_RETURN(const bool begun,
                   state.attempts.BeginPublishing(version.job, version.attempt, result.train_rows(),
                                                  result.train_seconds()));
  if (!begun || job.state != JobState::kRunning || job.attempt != version.attempt ||
      job.cancel_requested) {
    return absl::AbortedError(
        absl::StrCat("attempt ", version.attempt, " of job ", version.job, " is over"));
  }
  RETURN_IF_ERROR(state.adapters.InsertPublishing(version));
  RETURN_IF_ERROR(state.leases.DeleteRow({.job = version.job, .attempt = version.attempt}));
  if (const ProgressCache::Entry* entry = state.progress.Find(version.job); entry != nullptr) {
    RETURN_IF_ERROR(state.attempts.RecordProgress(version.job, version.attempt, entry->progress));
  }
  const std::optional<Observation> observed = Observe(state, version.job);
  if (observed.has_value()) {
    RETURN_IF_ERROR(state.calibrations.Save(job.base, observed->device_kind, observed->planned,
                                            observed->peak));
  }
  RETURN_IF_ERROR(COMMIT("scheduler.publication.intend", transaction));
  if (observed.has_value()) {
    state.calibrations.Add(job.base, observed->device_kind, observed->planned, observed->peak);
  }
  state.leases.Erase(version.job);
  return absl::OkStatus();
}

absl::Status Conclude(SchedulerState& state, const Now& now, const Version& version) {
  const absl::Status revealed = state.adapters.Reveal(version);
  if (absl::IsNotFound(revealed)) return Abandon(state, now, version);
  RETURN_IF_ERROR(revealed);
  ASSIGN_OR_RETURN(const v1::Checkpoint checkpoint, state.checkpoints.Find(version.job));
  RETURN_IF_ERROR(RecordSuccess(state, now, version));
  LogActivity(PublishLine(version));
  DropBlobsOf(state, checkpoint);
  state.progress.Erase(version.job);
  state.changes.Touch(version.job);
  ++state.counters.jobs_finished[Name(JobState::kSucceeded)];
  ++state.counters.attempts_ended["succeeded"];
  ++state.counters.publishes["published"];
  // The version is out.  Links are set right later (Core::Enter), blobs are swept by age.
  for (const absl::Status& status :
       {state.adapters.LinkAliases(version), DropBlobs(state, version)}) {
    if (status.ok()) continue;
    spdlog::warn("after publishing {} {}: {}", version.domain, VersionName(version.number),
                 std::string(status.message()));
  }
  return absl::OkStatus();
}

absl::Status Publish(SchedulerState& state, const Now& now, Version version,
                     const v1::Result& result) {
  RETURN_IF_ERROR(state.adapters.Stage(version, state.blobs));
  RETURN_IF_ERROR(RecordIntent(state, now, version, result));
  // A version must not become visible before its row survives a power cut.
  RETURN_IF_ERROR(state.database.Sync());
  return Conclude(state, now, version);
}

absl::Status ConcludeUnfinished(SchedulerState& state, const Now& now) {
  ASSIGN_OR_RETURN(const std::vector<Version> unfinished, state.adapters.Unfinished());
  // A version that cannot be concluded does not delay the others.
  absl::Status first;
  for (const Version& version : unfinished) first.Update(Conclude(state, now, version));
  return first;
}

}  // namespace mozgach

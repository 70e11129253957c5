#include "scheduler/views/explanation.h"

#include <optional>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/json_text.h"
#include "common/nearest_name.h"
#include "common/size_text.h"
#include "nlohmann/json.hpp"
#include "scheduler/placement/base_dispatch.h"
#include "scheduler/placement/offer.h"
#include "scheduler/placement/placement.h"
#include "scheduler/placement/quarantine.h"
#include "scheduler/placement/shortage.h"
#include "scheduler/views/job_notices.h"
#include "scheduler/views/job_view.h"

namespace mozgach {
namespace {

constexpr char kNoWorkers[] =
    "no worker has called yet: start one with `mozgach-worker --scheduler ADDRESS --data DIR "
    "--bases DIR`";

std::string InSeconds(Milliseconds duration) {
  return absl::StrFormat("%.1f s", std::max<double>(0, duration.count() / 1000.0));
}

std::string BacksOff(const Now& now, const Job& job) {
  return absl::StrCat("backs off for another ", InSeconds(job.not_before - now.wall), " (",
                      Name(job.state), " again after: ", job.reason, ")");
}

std::string NoRoom(const WorkerState& worker, const v1::BaseManifest& held) {
  return absl::StrCat("it could fetch it, but its disk has room for ",
                      FormatSize(worker.base_room_bytes), " below its --data, and the base takes ",
                      FormatSize(held.size_bytes()));
}

// The job that every free device of `worker` is kept free for.
std::optional<int64_t> KeptFor(SchedulerState& state, const Now& now, const WorkerState& worker) {
  std::optional<int64_t> kept;
  for (const DeviceRoom& room : FreeRoomsOf(state, worker)) {
    const auto waited_for = KeptFreeFor(state, now, worker, room);
    if (!waited_for.ok() || !waited_for->has_value()) return std::nullopt;
    kept = (*waited_for)->job;
  }
  return kept;
}

std::string AboutWorker(SchedulerState& state, const Now& now, const WorkerState& worker,
                        const Job& job, const JobShape& shape) {
  const bool lost = WorkerTable::IsLost(worker, now, state.config.lease);
  const v1::BaseFetch* fetch = FetchOf(worker, job.base);
  const bool could_fetch = CouldFetch(state, worker, job.base_key);
  const v1::BaseManifest* held = state.bases.Serving(job.base_key);
  std::string why =
      WhyNot(worker, lost, job.base_key, state.leases.JobsOf(worker.name), could_fetch);
  const bool offers = worker.keys.count(job.base_key) > 0 || could_fetch;
  const std::string shortage =
      lost || !offers || worker.drain || worker.draining ? "" : Shortage(state, worker, shape);
  if (!lost && IsQuarantined(worker, now)) {
    why = ShowQuarantine(worker, now);
  } else if (!shortage.empty()) {
    why = shortage;
  } else if (fetch != nullptr && !lost) {
    why = absl::StrCat("is fetching base ", job.base, " (", fetch->received_bytes(), " of ",
                       fetch->size_bytes(), " bytes)");
  } else if (const auto kept = why.empty() ? KeptFor(state, now, worker) : std::nullopt; kept) {
    why = absl::StrCat("has room for it, but is kept free for job ", *kept,
                       ", which has waited long and fits when other workers of this host are done");
  } else if (why.empty() && could_fetch) {
    why =
        "has room for the base and a free device: it is given the job and fetches the base, unless "
        "a worker that has it is free";
  } else if (why.empty()) {
    why = "has the base and a free device: it is given the job at its next call";
  } else if (held != nullptr && !could_fetch && worker.keys.count(job.base_key) == 0) {
    absl::StrAppend(&why, "; ", NoRoom(worker, *held));
  }
  return absl::StrCat("worker ", worker.name, ": ", why);
}

// What would bring a base that no worker has.
std::string NobodyHas(SchedulerState& state, const Now& now, const Job& job,
                      const JobShape& shape) {
  const std::string nobody = absl::StrCat("no worker has base ", job.base_key);
  const v1::BaseManifest* held = state.bases.Serving(job.base_key);
  const std::string problem = ProblemOfBase(state.worker_table, job.base);
  if (held == nullptr && !problem.empty()) return absl::StrCat(nobody, "; ", problem);
  if (held == nullptr) {
    const bool other = state.bases.Find(job.base) != nullptr;
    return absl::StrCat(nobody, " (", state.worker_table.workers().size(), " asked)",
                        MeantBase(state, job.base),
                        other ? "; the scheduler holds it, but not this revision" : "",
                        "; `mozgachctl bases add DIR --name ", job.base, "` gives it to them");
  }
  int able = 0;
  const WorkerState* only = nullptr;
  for (const auto& [name, worker] : state.worker_table.workers()) {
    if (WorkerTable::IsLost(worker, now, state.config.lease)) continue;
    if (const v1::BaseFetch* fetch = FetchOf(worker, job.base); fetch != nullptr) {
      return absl::StrCat(nobody, " yet; ", ShowFetch(worker, *fetch));
    }
    if (!HasRoomFor(worker, *held)) continue;
    ++able;
    only = &worker;
  }
  if (able == 0) {
    return absl::StrCat(nobody, ", which the scheduler holds, and none that answers has ",
                        FormatSize(held->size_bytes()), " of room for it below its --data");
  }
  if (able == 1) return AboutWorker(state, now, *only, job, shape);
  return absl::StrCat(nobody, " yet; the first of the ", able,
                      " with room for it that is free fetches it");
}

// ", 1.2 GiB at its peak (planned 1.3 GiB)"; "" where it has said neither.
std::string AboutMemory(const AttemptProgress& progress) {
  const uint64_t peak = progress.memory_peak_bytes, planned = progress.memory_planned_bytes;
  if (peak == 0) return planned == 0 ? "" : absl::StrCat(", planned memory ", FormatSize(planned));
  return absl::StrCat(", ", FormatSize(peak), " at its peak",
                      planned == 0 ? "" : absl::StrCat(" (planned ", FormatSize(planned), ")"));
}

std::string AboutAttempt(const Attempt& attempt) {
  std::string line = absl::StrCat("attempt ", attempt.attempt, " on worker ", attempt.worker);
  if (!attempt.progress.device.empty()) absl::StrAppend(&line, " (", attempt.progress.device, ")");
  absl::StrAppend(&line, " from ", FormatTime(attempt.started), ": ", attempt.state);
  if (!attempt.failure_class.empty() && attempt.failure_class != attempt.state) {
    absl::StrAppend(&line, ", ", attempt.failure_class);
  }
  if (attempt.progress.steps > 0) {
    absl::StrAppend(&line, ", step ", attempt.progress.step, " of ", attempt.progress.steps);
  }
  if (ToMillis(attempt.ended) != 0) {
    absl::StrAppend(&line, ", after ", InSeconds(attempt.ended - attempt.started));
  }
  absl::StrAppend(&line, AboutMemory(attempt.progress));
  if (!attempt.message.empty()) absl::StrAppend(&line, ": ", attempt.message);
  return line;
}

std::string AboutRunning(const SchedulerState& state, const Now& now, const Job& job) {
  const Lease* lease = state.leases.Find(job.job);
  if (lease == nullptr) return "its version is being published";
  const std::string left = InSeconds(lease->expires_at - now.since_boot);
  if (job.cancel_requested) {
    return absl::StrCat(job.reason, "; ends when worker ", lease->worker,
                        " has stopped it, at the latest in ", left);
  }
  const WorkerState* worker = state.worker_table.Find(lease->worker);
  const v1::BaseFetch* fetch = worker == nullptr ? nullptr : FetchOf(*worker, job.base);
  return absl::StrCat(
      "runs as attempt ", job.attempt, " on worker ", lease->worker, ", whose lease lasts another ",
      left,
      fetch == nullptr ? "" : absl::StrCat("; its base comes first: ", ShowFetch(*worker, *fetch)));
}

std::string Number(const nlohmann::json& side, const std::string& name) {
  const auto found = side.find(name);
  const bool known = found != side.end() && found->is_number();
  return known ? absl::StrFormat("%.4g", found->get<double>()) : "-";
}

// "scores, bare base → with the adapter: eval_loss 4.912 → 0.031, …"; "" where there are none.
std::string AboutScores(const std::string& metrics_json) {
  const absl::StatusOr<nlohmann::json> metrics = ParseJson(metrics_json);
  if (!metrics.ok() || !metrics->is_object()) return "";
  const nlohmann::json base = metrics->value("base", nlohmann::json::object());
  const nlohmann::json adapter = metrics->value("adapter", nlohmann::json::object());
  std::vector<std::string> scores;
  for (const auto& [name, value] : adapter.items()) {
    scores.push_back(absl::StrCat(name, " ", Number(base, name), " → ", Number(adapter, name)));
  }
  if (scores.empty()) return "";
  return absl::StrCat("scores, bare base → with the adapter: ", absl::StrJoin(scores, ", "));
}

std::string Summary(SchedulerState& state, const Now& now, const Job& job) {
  switch (job.state) {
    case JobState::kQueued:
      return absl::StrCat("waits: ", WhyItWaits(state, now, job));
    case JobState::kRunning:
      return AboutRunning(state, now, job);
    case JobState::kSucceeded:
      return absl::StrCat("published ", VersionName(job.version));
    case JobState::kFailed:
      return absl::StrCat("failed", job.failure_class.empty() ? "" : " (", job.failure_class,
                          job.failure_class.empty() ? "" : ")", ": ", job.reason);
    case JobState::kCancelled:
      return job.reason;
  }
  return "";
}

}  // namespace

std::string MeantBase(const SchedulerState& state, const std::string& base) {
  std::set<std::string> known;
  for (const auto& [name, held] : state.bases.all()) known.insert(name);
  for (const auto& [name, worker] : state.worker_table.workers()) {
    for (const v1::Base& offered : worker.bases) known.insert(offered.name());
  }
  if (known.count(base) > 0) return "";
  const std::string near = NearestBase(base, {known.begin(), known.end()});
  return near.empty() ? "" : absl::StrCat("; did you mean ", near, "?");
}

std::string WhyItWaits(SchedulerState& state, const Now& now, const Job& job) {
  if (const std::string why = state.WhyNotWritable(); !why.empty()) {
    return absl::StrCat("the scheduler cannot write: ", why);
  }
  if (!job.ready) return BacksOff(now, job);
  if (state.worker_table.workers().empty()) return kNoWorkers;
  const JobShape shape = state.shapes.Get(job.shape).value_or(JobShape());
  int offering = 0, busy = 0, narrow = 0;
  const WorkerState* only = nullptr;
  for (const auto& [name, worker] : state.worker_table.workers()) {
    if (worker.keys.count(job.base_key) == 0) continue;
    ++offering;
    only = &worker;
    const bool lost = WorkerTable::IsLost(worker, now, state.config.lease);
    if (lost || worker.drain || worker.draining || IsQuarantined(worker, now)) continue;
    ++(Shortage(state, worker, shape).empty() ? busy : narrow);
  }
  if (offering == 0) {
    return NobodyHas(state, now, job, shape);
  }
  if (offering == 1) return AboutWorker(state, now, *only, job, shape);
  if (const std::string shortage = ShortageEverywhere(state, now, shape); !shortage.empty()) {
    return shortage;
  }
  if (busy + narrow == 0) {
    return absl::StrCat("each of the ", offering,
                        " workers with its base is lost, draining or quarantined");
  }
  if (narrow > 0) {
    return absl::StrCat("of the workers with its base ", narrow, narrow == 1 ? " has" : " have",
                        " too little memory free, ", busy, busy == 1 ? " is" : " are", " busy");
  }
  if (busy == 1) return "the one worker with its base that takes work is busy";
  return absl::StrCat("the ", busy, " workers with its base are busy");
}

absl::StatusOr<v1::ExplainResponse> Explain(SchedulerState& state, const Now& now, int64_t number) {
  ASSIGN_OR_RETURN(const Job job, state.queue.Get(number));
  v1::ExplainResponse response;
  ASSIGN_OR_RETURN(*response.mutable_job(), ViewJob(state, now, number, false));
  response.set_summary(Summary(state, now, job));
  // What the summary says already is not said twice.
  const auto add = [&response](const std::string& line) {
    if (!line.empty() && !absl::StrContains(response.summary(), line)) response.add_lines(line);
  };
  if (job.state == JobState::kQueued) {
    const JobShape shape = state.shapes.Get(job.shape).value_or(JobShape());
    for (const auto& [name, worker] : state.worker_table.workers()) {
      add(AboutWorker(state, now, worker, job, shape));
    }
    if (!state.worker_table.workers().empty()) add(WhatWouldHelp(state, now, shape));
    if (!state.worker_table.workers().empty()) add(AboutPlan(state, shape));
  }
  if (job.state == JobState::kRunning) add(response.job().reason());
  add(AboutScores(response.job().metrics_json()));
  if (job.retry_of > 0) response.add_lines(absl::StrCat("does job ", job.retry_of, " again"));
  ASSIGN_OR_RETURN(const std::vector<Attempt> attempts, state.attempts.OfJob(number));
  for (const Attempt& attempt : attempts) response.add_lines(AboutAttempt(attempt));
  ASSIGN_OR_RETURN(const std::vector<std::string> notices, NoticesOf(state, job));
  response.mutable_notices()->Add(notices.begin(), notices.end());
  return response;
}

}  // namespace mozgach

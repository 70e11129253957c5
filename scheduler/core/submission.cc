#include "scheduler/core/submission.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/log_line.h"
#include "failpoint/failpoint.h"
#include "scheduler/core/cancellation.h"
#include "scheduler/core/job_planning.h"
#include "scheduler/jobs/changed_keys.h"
#include "scheduler/placement/placement.h"
#include "scheduler/state/activity_log.h"
#include "scheduler/views/explanation.h"
#include "scheduler/views/job_notices.h"

namespace mozgach {
namespace {

// What a submission does to the queue.
struct Decision {
  const CheckedSubmission* checked = nullptr;
  std::optional<Job> latest;  // the latest job of the domain
  std::string outcome;
  bool queues = false;
  bool supersedes = false;
  bool updates_notices = false;  // the unchanged job gets new notices
  std::string note;
  std::vector<std::string> changed_keys;  // "data": rows, too
};

absl::StatusOr<bool> StillStands(SchedulerState& state, const Job& latest) {
  if (latest.state == JobState::kQueued) return true;
  if (latest.state == JobState::kRunning) {
    const bool publishes = state.leases.Find(latest.job) == nullptr;
    return publishes || !latest.cancel_requested;
  }
  if (latest.state != JobState::kSucceeded) return false;
  ASSIGN_OR_RETURN(const std::optional<int64_t> version,
                   state.adapters.VisibleVersionOfJob(latest.domain, latest.job));
  return version.has_value();
}

std::string WhyRequeued(const Job& latest) {
  if (latest.state == JobState::kSucceeded) {
    return absl::StrCat("the version of job ", latest.job, " is gone");
  }
  const char* how = latest.state == JobState::kFailed ? " failed" : " was cancelled";
  return absl::StrCat("job ", latest.job, how);
}

absl::Status DecideAgainst(SchedulerState& state, const Job& latest, Decision& decision) {
  const NewJob& job = decision.checked->job;
  if (latest.spec_digest != job.spec_digest || latest.dataset_digest != job.dataset_digest) {
    decision.outcome = "changed";
    decision.queues = true;
    decision.supersedes = !IsTerminal(latest.state);
    if (decision.supersedes) decision.note = absl::StrCat("supersedes job ", latest.job);
    ASSIGN_OR_RETURN(const Queue::Details before, state.queue.GetDetails(latest.job));
    decision.changed_keys = ChangedKeys(before.spec_json, job.spec_json);
    if (latest.dataset_digest != job.dataset_digest) decision.changed_keys.push_back("data");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool stands, StillStands(state, latest));
  if (!stands) {
    decision.outcome = "requeued";
    decision.queues = true;
    decision.note = WhyRequeued(latest);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const Queue::Details details, state.queue.GetDetails(latest.job));
  decision.outcome = details.spec_json == job.spec_json ? "unchanged" : "updated";
  decision.updates_notices = NoticesDiffer(details, job);
  return absl::OkStatus();
}

bool SomeoneOffers(const SchedulerState& state, const Now& now, const std::string& base_key) {
  const auto& workers = state.worker_table.workers();
  return std::any_of(workers.begin(), workers.end(), [&](const auto& entry) {
    return entry.second.keys.count(base_key) > 0 &&
           !WorkerTable::IsLost(entry.second, now, state.config.lease);
  });
}

absl::StatusOr<Decision> Decide(SchedulerState& state, const Now& now,
                                const CheckedSubmission& checked) {
  Decision decision;
  decision.checked = &checked;
  ASSIGN_OR_RETURN(const std::optional<int64_t> latest, state.queue.LatestOf(checked.job.domain));
  if (latest.has_value()) {
    ASSIGN_OR_RETURN(decision.latest, state.queue.Get(*latest));
    RETURN_IF_ERROR(DecideAgainst(state, *decision.latest, decision));
  } else {
    decision.outcome = "new";
    decision.queues = true;
  }
  const std::string base_key = BaseKey(checked.job.base, checked.job.revision);
  if (decision.queues && !SomeoneOffers(state, now, base_key)) {
    const bool held = state.bases.Serving(base_key) != nullptr;
    const std::string problem = held ? "" : ProblemOfBase(state.worker_table, checked.job.base);
    absl::StrAppend(&decision.note, decision.note.empty() ? "" : "; ", "no worker has base ",
                    base_key, " yet", held ? ": the one that takes the job fetches it" : "",
                    held || !problem.empty() ? "" : MeantBase(state, checked.job.base),
                    problem.empty() ? "" : ": ", problem);
  }
  const BaseConfig* config = state.configs.Find(checked.job.base);
  if (decision.queues && config != nullptr && !config->config.ok()) {
    absl::StrAppend(&decision.note, decision.note.empty() ? "" : "; ", "base ", checked.job.base,
                    " cannot be trained: ", std::string(config->config.status().message()));
  }
  return decision;
}

std::set<std::string> MissingDatasets(const SchedulerState& state,
                                      const std::vector<Decision>& decisions) {
  std::set<std::string> missing;
  for (const Decision& decision : decisions) {
    for (const v1::Dataset& dataset : decision.checked->job.datasets) {
      if (!state.blobs.Has(dataset.sha256())) missing.insert(dataset.sha256());
    }
  }
  return missing;
}

// Retention leaves the datasets of a domain's latest job alone: what is missing of them was lost.
void SayWhatIsRepaired(const std::vector<Decision>& decisions, const std::set<std::string>& missing,
                       v1::SubmitResponse& response) {
  for (size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].queues) continue;
    const auto& datasets = decisions[i].checked->job.datasets;
    const auto lost = std::find_if(datasets.begin(), datasets.end(), [&](const auto& dataset) {
      return missing.count(dataset.sha256()) > 0;
    });
    if (lost == datasets.end()) continue;
    v1::SubmitResponse::Outcome& outcome = *response.mutable_outcomes(static_cast<int>(i));
    outcome.set_outcome("repaired");
    outcome.set_note(absl::StrCat("the scheduler had lost ", lost->name(), " of job ",
                                  decisions[i].latest->job, "; it is sent again"));
  }
}

absl::Status Append(SchedulerState& state, const Now& now, int64_t job, const Decision& decision,
                    const std::string& actor) {
  return state.events.Append(
      {.time = now.wall,
       .job = job,
       .domain = decision.checked->job.domain,
       .kind = "submitted",
       .actor = actor,
       .message = decision.note.empty() ? decision.outcome
                                        : absl::StrCat(decision.outcome, ": ", decision.note)});
}

// Writes one decision; returns the job that the domain has now.
absl::StatusOr<int64_t> Apply(SchedulerState& state, const Now& now, const Decision& decision,
                              const std::string& actor) {
  const NewJob& checked = decision.checked->job;
  if (!decision.queues) {
    const Job& latest = *decision.latest;
    if (decision.updates_notices) {
      RETURN_IF_ERROR(state.queue.UpdateNotices(latest.job, checked));
    }
    if (decision.outcome == "updated") {
      RETURN_IF_ERROR(state.queue.UpdateSpec(latest.job, checked, IsTerminal(latest.state)));
      RETURN_IF_ERROR(Append(state, now, latest.job, decision, actor));
    }
    return latest.job;
  }
  NewJob job = checked;
  if (decision.outcome == "requeued") job.retry_of = decision.latest->job;
  ASSIGN_OR_RETURN(const int64_t shape, ShapeOfNew(state, job));
  ASSIGN_OR_RETURN(const int64_t number, state.queue.Insert(now.wall, job, shape));
  if (decision.supersedes) {
    RETURN_IF_ERROR(WriteCancel(state, now, *decision.latest,
                                absl::StrCat("superseded by job ", number), actor));
  }
  RETURN_IF_ERROR(Append(state, now, number, decision, actor));
  return number;
}

void Announce(SchedulerState& state, const Decision& decision, int64_t job) {
  if (decision.outcome != "unchanged") state.changes.Touch(job);
  if (decision.outcome == "updated") {
    state.leases.MarkTimeLimit(job, decision.checked->job.time_limit);
  }
  if (!decision.queues) return;
  ++state.counters.jobs_submitted;
  state.wakeups.base_keys.insert(
      BaseKey(decision.checked->job.base, decision.checked->job.revision));
  if (decision.supersedes) AnnounceCancel(state, *decision.latest);
}

absl::StatusOr<std::vector<Decision>> DecideAll(SchedulerState& state, const Now& now,
                                                absl::Span<const CheckedSubmission> submissions,
                                                v1::SubmitResponse& response) {
  std::vector<Decision> decisions;
  BaseNotices bases(state);
  for (const CheckedSubmission& checked : submissions) {
    ASSIGN_OR_RETURN(Decision decision, Decide(state, now, checked));
    v1::SubmitResponse::Outcome& outcome = *response.add_outcomes();
    outcome.set_domain(checked.job.domain);
    outcome.set_outcome(decision.outcome);
    outcome.set_note(decision.note);
    for (std::string& notice : NoticesOf(bases, checked)) {
      outcome.add_notices(std::move(notice));
    }
    outcome.mutable_changed_keys()->Add(decision.changed_keys.begin(), decision.changed_keys.end());
    if (decision.latest.has_value() && !decision.queues) outcome.set_job(decision.latest->job);
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

// Writes the decisions and `also` in one transaction, and announces them.
absl::Status WriteDecisions(SchedulerState& state, const Now& now,
                            const std::vector<Decision>& decisions, const std::string& actor,
                            const std::function<absl::Status()>& also,
                            v1::SubmitResponse& response) {
  Transaction transaction(state.database);
  RETURN_IF_ERROR(transaction.status());
  for (size_t i = 0; i < decisions.size(); ++i) {
    ASSIGN_OR_RETURN(const int64_t job, Apply(state, now, decisions[i], actor));
    response.mutable_outcomes(static_cast<int>(i))->set_job(job);
  }
  if (also) RETURN_IF_ERROR(also());
  RETURN_IF_ERROR(COMMIT("scheduler.jobs.submit", transaction));
  for (size_t i = 0; i < decisions.size(); ++i) {
    Announce(state, decisions[i], response.outcomes(static_cast<int>(i)).job());
  }
  return absl::OkStatus();
}

}  // namespace

bool NoticesDiffer(const Queue::Details& details, const NewJob& job) {
  return details.notices_json != job.notices_json || details.conversations != job.conversations;
}

absl::StatusOr<v1::SubmitResponse> Submit(SchedulerState& state, const Now& now,
                                          const v1::SubmitRequest& request,
                                          absl::Span<const CheckedSubmission> submissions) {
  v1::SubmitResponse response;
  ASSIGN_OR_RETURN(const std::vector<Decision> decisions,
                   DecideAll(state, now, submissions, response));
  const std::set<std::string> missing = MissingDatasets(state, decisions);
  response.mutable_missing_blobs()->Add(missing.begin(), missing.end());
  SayWhatIsRepaired(decisions, missing, response);
  if (request.dry_run() || !missing.empty()) return response;
  RETURN_IF_ERROR(WriteDecisions(state, now, decisions, request.actor(), nullptr, response));
  LogActivity(SubmitLine(response, request.actor()));
  return response;
}

absl::Status QueueNextPart(SchedulerState& state, const Now& now, int64_t submission) {
  StagedSubmission& staged = *state.staged.Find(submission);
  const size_t begin = staged.next_part == 0 ? 0 : staged.part_ends[staged.next_part - 1];
  const size_t end = staged.part_ends[staged.next_part];
  const auto part = absl::MakeConstSpan(staged.checked).subspan(begin, end - begin);
  v1::SubmitResponse response;
  ASSIGN_OR_RETURN(const std::vector<Decision> decisions, DecideAll(state, now, part, response));
  RETURN_IF_ERROR(WriteDecisions(
      state, now, decisions, staged.actor, [&] { return state.staged.RemoveNextPart(submission); },
      response));
  ++staged.next_part;
  staged.response.MergeFrom(response);
  if (staged.IsQueued()) LogActivity(SubmitLine(staged.response, staged.actor));
  if (staged.IsQueued() && staged.abandoned) state.staged.Forget(submission);
  return absl::OkStatus();
}

}  // namespace mozgach

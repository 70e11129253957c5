// What people ask of the core.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/utf8.h"
#include "failpoint/failpoint.h"
#include "scheduler/core/base_addition.h"
#include "scheduler/core/cancellation.h"
#include "scheduler/core/core.h"
#include "scheduler/placement/quarantine.h"
#include "scheduler/views/base_view.h"
#include "scheduler/views/explanation.h"
#include "scheduler/views/job_view.h"

namespace mozgach {
namespace {

constexpr int64_t kEventsMax = 1000;
constexpr uint64_t kDrainWithinMsMax = UINT64_C(365) * 24 * 3600 * 1000;

template <typename Response>
absl::Status ViewJobs(SchedulerState& state, const Now& now, const std::vector<int64_t>& jobs,
                      Response& response) {
  for (const int64_t job : jobs) {
    ASSIGN_OR_RETURN(*response.add_jobs(), ViewJob(state, now, job, false));
  }
  return absl::OkStatus();
}

v1::Event ViewEvent(const Event& event) {
  v1::Event view;
  view.set_event(event.event);
  view.set_time(FormatTime(event.time));
  view.set_job(event.job);
  view.set_domain(event.domain);
  view.set_attempt(event.attempt);
  view.set_kind(event.kind);
  view.set_actor(event.actor);
  view.set_message(event.message);
  return view;
}

absl::Status NoWorker(const SchedulerState& state, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, worker] : state.worker_table.workers()) names.push_back(known);
  const std::string near = NearestName(name, names);
  return absl::NotFoundError(
      absl::StrCat("there is no worker '", Abbreviate(name, 80), "'",
                   near.empty() ? "" : absl::StrCat("; did you mean '", near, "'?"),
                   near.empty() ? "; " : "  ", "`mozgachctl workers` lists those there are"));
}

}  // namespace

absl::StatusOr<v1::CancelResponse> Core::Cancel(const Now& now, const v1::CancelRequest& request) {
  Enter(now);
  ASSIGN_OR_RETURN(const std::vector<int64_t> selected, Select(state_, request.selector(), false));
  ASSIGN_OR_RETURN(
      const std::vector<int64_t> jobs,
      mozgach::Cancel(state_, now, selected, request.selector().all(), request.actor()));
  v1::CancelResponse response;
  RETURN_IF_ERROR(ViewJobs(state_, now, jobs, response));
  return response;
}

absl::StatusOr<v1::RetryResponse> Core::Retry(const Now& now, const v1::RetryRequest& request) {
  Enter(now);
  const v1::Selector& selector = request.selector();
  const bool every_domain = selector.all() && selector.domains().empty() && selector.jobs().empty();
  std::vector<int64_t> jobs;
  if (every_domain) {
    ASSIGN_OR_RETURN(jobs, state_.queue.Latest());
  } else {
    ASSIGN_OR_RETURN(jobs, Select(state_, selector, false));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> fresh,
                   mozgach::Retry(state_, now, jobs, selector.all(), request.actor()));
  v1::RetryResponse response;
  RETURN_IF_ERROR(ViewJobs(state_, now, fresh, response));
  return response;
}

absl::StatusOr<v1::Worker> Core::Drain(const Now& now, const v1::DrainWorkerRequest& request) {
  Enter(now);
  Transaction transaction(state_.database);
  RETURN_IF_ERROR(transaction.status());
  const bool bounded = !request.undo() && request.has_within_ms();
  const uint64_t within = std::min<uint64_t>(request.within_ms(), kDrainWithinMsMax);
  const WallTime by = bounded ? now.wall + Milliseconds(static_cast<int64_t>(within)) : WallTime{};
  RETURN_IF_ERROR(state_.worker_table.SaveDrain(request.worker(), !request.undo(), by));
  RETURN_IF_ERROR(state_.events.Append(
      {.time = now.wall,
       .kind = request.undo() ? "drain_undone" : "drain_asked",
       .actor = request.actor(),
       .message = bounded ? absl::StrCat(request.worker(), ", until ", FormatTime(by))
                          : request.worker()}));
  RETURN_IF_ERROR(COMMIT("scheduler.worker.drain", transaction));
  state_.worker_table.MarkDrain(request.worker(), !request.undo(), by);
  if (request.undo()) HearItIsWell(state_, request.worker());
  if (bounded) state_.wake_at = std::min(state_.wake_at, now.since_boot + (by - now.wall));
  Expect(now);
  state_.wakeups.workers.insert(request.worker());
  return ViewWorker(state_, now, *state_.worker_table.Find(request.worker()));
}

absl::Status Core::ForgetWorker(const Now& now, const v1::ForgetWorkerRequest& request) {
  Enter(now);
  const std::string& name = request.worker();
  const WorkerState* worker = state_.worker_table.Find(name);
  if (worker == nullptr) return NoWorker(state_, name);
  if (WorkerTable::IsAwaited(*worker, now, state_.config.lease)) {
    return absl::FailedPreconditionError(absl::StrCat("the scheduler has just started, and worker ",
                                                      name, " may still call; try again in ",
                                                      state_.config.lease.count() / 1000, " s"));
  }
  if (!WorkerTable::IsLost(*worker, now, state_.config.lease)) {
    return absl::FailedPreconditionError(
        absl::StrCat("worker ", name,
                     " still calls; stop mozgach-worker on its host first, then forget it when "
                     "`mozgachctl workers` shows it as lost"));
  }
  if (!state_.leases.JobsOf(name).empty()) {
    return absl::FailedPreconditionError(absl::StrCat("worker ", name,
                                                      " still holds a lease; try again in ",
                                                      state_.config.lease.count() / 1000, " s"));
  }
  Transaction transaction(state_.database);
  RETURN_IF_ERROR(transaction.status());
  RETURN_IF_ERROR(state_.worker_table.RemoveRows(name));
  RETURN_IF_ERROR(state_.events.Append(
      {.time = now.wall, .kind = "worker_forgotten", .actor = request.actor(), .message = name}));
  RETURN_IF_ERROR(COMMIT("scheduler.worker.forget", transaction));
  state_.worker_table.Forget(name);
  Expect(now);
  return absl::OkStatus();
}

absl::StatusOr<Version> Core::SetAlias(const Now& now, const v1::SetAliasRequest& request) {
  Enter(now);
  const auto record = [&](const Version& version) {
    const std::string target = request.version().empty() ? "removed" : VersionName(version.number);
    return state_.events.Append({.time = now.wall,
                                 .domain = request.domain(),
                                 .kind = "alias",
                                 .actor = request.actor(),
                                 .message = absl::StrCat(request.alias(), " → ", target)});
  };
  absl::StatusOr<Version> version =
      state_.adapters.SetAlias(request.domain(), request.alias(), request.version(), record);
  Expect(now);
  return version;
}

absl::StatusOr<v1::AddBaseResponse> Core::AddBase(const Now& now,
                                                  const v1::AddBaseRequest& request) {
  Enter(now);
  absl::StatusOr<v1::AddBaseResponse> response = mozgach::AddBase(state_, now, request);
  Expect(now);
  return response;
}

absl::StatusOr<v1::ListResponse> Core::List(const Now& now, const v1::ListRequest& request) {
  Enter(now);
  ASSIGN_OR_RETURN(const std::vector<int64_t> jobs, Select(state_, request.selector(), true));
  v1::ListResponse response;
  RETURN_IF_ERROR(ViewJobs(state_, now, jobs, response));
  return response;
}

absl::StatusOr<v1::Job> Core::Get(const Now& now, const v1::GetRequest& request) {
  Enter(now);
  return ViewJob(state_, now, request.job(), true);
}

absl::StatusOr<v1::ExplainResponse> Core::Explain(const Now& now,
                                                  const v1::ExplainRequest& request) {
  Enter(now);
  ASSIGN_OR_RETURN(const int64_t job, FindJob(request.job(), request.domain()));
  return mozgach::Explain(state_, now, job);
}

absl::StatusOr<int64_t> Core::FindJob(int64_t job, const std::string& domain) {
  v1::Selector selector;
  if (job != 0) {
    selector.add_jobs(job);
  } else {
    selector.add_domains(domain);
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> jobs, Select(state_, selector, false));
  return jobs.front();
}

v1::ListWorkersResponse Core::ListWorkers(const Now& now) {
  Enter(now);
  v1::ListWorkersResponse response;
  for (const auto& [name, worker] : state_.worker_table.workers()) {
    *response.add_workers() = ViewWorker(state_, now, worker);
  }
  return response;
}

v1::ListBasesResponse Core::ListBases(const Now& now) {
  Enter(now);
  return ViewBases(state_, now);
}

absl::StatusOr<v1::ListEventsResponse> Core::ListEvents(const Now& now,
                                                        const v1::ListEventsRequest& request) {
  Enter(now);
  const int64_t limit =
      request.limit() <= 0 ? kEventsMax : std::min<int64_t>(request.limit(), kEventsMax);
  ASSIGN_OR_RETURN(const std::vector<Event> events, state_.events.List({.job = request.job(),
                                                                        .domain = request.domain(),
                                                                        .after = request.after(),
                                                                        .limit = limit}));
  v1::ListEventsResponse response;
  for (const Event& event : events) *response.add_events() = ViewEvent(event);
  return response;
}

}  // namespace mozgach

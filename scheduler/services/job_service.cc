#include "scheduler/services/job_service.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "scheduler/access/unary_reply.h"
#include "scheduler/services/long_submission.h"
#include "scheduler/services/streams.h"
#include "scheduler/views/job_view.h"

namespace mozgach {
namespace {

// A list of all jobs may be long: so many are shown at once, and others come in between.
constexpr size_t kJobsListedAtOnce = 500;
constexpr std::chrono::milliseconds kPauseBetweenParts(1);

}  // namespace

grpc::ServerUnaryReactor* JobService::Submit(grpc::CallbackServerContext* context,
                                             const v1::SubmitRequest* request,
                                             v1::SubmitResponse* response) {
  return ReplyWith(context, Take(*context, *request), response);
}

absl::StatusOr<v1::SubmitResponse> JobService::Take(const grpc::CallbackServerContext& context,
                                                    const v1::SubmitRequest& request) {
  v1::SubmitRequest how;  // without the domains, which may be many
  how.set_dry_run(request.dry_run());
  how.set_actor(request.actor());
  ASSIGN_OR_RETURN(how, authenticator_.Sign(context, std::move(how)));
  // Thousands of specs are read before anybody waits for the executor.
  ASSIGN_OR_RETURN(std::vector<CheckedSubmission> checked, CheckSubmissions(request));
  if (!request.dry_run()) RETURN_IF_ERROR(RemoveDamaged(checked));
  return SubmitInParts(executor_, how, request, std::move(checked));
}

absl::Status JobService::RemoveDamaged(const std::vector<CheckedSubmission>& submissions) {
  for (const CheckedSubmission& checked : submissions) {
    for (const v1::Dataset& dataset : checked.job.datasets) {
      RETURN_IF_ERROR(blobs_.RemoveIfDamaged(dataset.sha256()).status());
    }
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* JobService::List(grpc::CallbackServerContext* context,
                                           const v1::ListRequest* request,
                                           v1::ListResponse* response) {
  return ReplyWith(context, ListInParts(*request), response);
}

absl::StatusOr<v1::ListResponse> JobService::ListInParts(const v1::ListRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> jobs, executor_.Run([&](Core& core, const Now& now) {
    core.Enter(now);
    return Select(core.state(), request.selector(), true);
  }));
  // Others are answered between the parts; what is removed meanwhile is left out.
  v1::ListResponse response;
  for (size_t begin = 0; begin < jobs.size(); begin += kJobsListedAtOnce) {
    const size_t end = std::min(jobs.size(), begin + kJobsListedAtOnce);
    RETURN_IF_ERROR(executor_.Run([&](Core& core, const Now& now) -> absl::Status {
      for (size_t i = begin; i < end; ++i) {
        absl::StatusOr<v1::Job> job = ViewJob(core.state(), now, jobs[i], false);
        if (absl::IsNotFound(job.status())) continue;
        if (!job.ok()) return job.status();
        *response.add_jobs() = *std::move(job);
      }
      return absl::OkStatus();
    }));
    std::this_thread::sleep_for(kPauseBetweenParts);
  }
  return response;
}

grpc::ServerUnaryReactor* JobService::Get(grpc::CallbackServerContext* context,
                                          const v1::GetRequest* request, v1::Job* response) {
  return ReplyWith(
      context, executor_.Run([&](Core& core, const Now& now) { return core.Get(now, *request); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Cancel(grpc::CallbackServerContext* context,
                                             const v1::CancelRequest* request,
                                             v1::CancelResponse* response) {
  const auto asked = authenticator_.Sign(*context, *request);
  if (!asked.ok()) return ReplyWith<v1::CancelResponse>(context, asked.status(), response);
  return ReplyWith(
      context, executor_.Run([&](Core& core, const Now& now) { return core.Cancel(now, *asked); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Retry(grpc::CallbackServerContext* context,
                                            const v1::RetryRequest* request,
                                            v1::RetryResponse* response) {
  const auto asked = authenticator_.Sign(*context, *request);
  if (!asked.ok()) return ReplyWith<v1::RetryResponse>(context, asked.status(), response);
  return ReplyWith(
      context, executor_.Run([&](Core& core, const Now& now) { return core.Retry(now, *asked); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Explain(grpc::CallbackServerContext* context,
                                              const v1::ExplainRequest* request,
                                              v1::ExplainResponse* response) {
  return ReplyWith(context, executor_.Run([&](Core& core, const Now& now) {
    return core.Explain(now, *request);
  }),
                   response);
}

grpc::ServerUnaryReactor* JobService::ListWorkers(grpc::CallbackServerContext* context,
                                                  const v1::ListWorkersRequest* request,
                                                  v1::ListWorkersResponse* response) {
  return ReplyWith(context, executor_.Run([&](Core& core, const Now& now) {
    return absl::StatusOr<v1::ListWorkersResponse>(core.ListWorkers(now));
  }),
                   response);
}

grpc::ServerUnaryReactor* JobService::DrainWorker(grpc::CallbackServerContext* context,
                                                  const v1::DrainWorkerRequest* request,
                                                  v1::Worker* response) {
  const auto asked = authenticator_.Sign(*context, *request);
  if (!asked.ok()) return ReplyWith<v1::Worker>(context, asked.status(), response);
  return ReplyWith(
      context, executor_.Run([&](Core& core, const Now& now) { return core.Drain(now, *asked); }),
      response);
}

grpc::ServerUnaryReactor* JobService::ForgetWorker(grpc::CallbackServerContext* context,
                                                   const v1::ForgetWorkerRequest* request,
                                                   v1::ForgetWorkerResponse* response) {
  const auto asked = authenticator_.Sign(*context, *request);
  if (!asked.ok()) return ReplyWith<v1::ForgetWorkerResponse>(context, asked.status(), response);
  return ReplyWith(
      context,
      executor_.Run([&](Core& core, const Now& now) -> absl::StatusOr<v1::ForgetWorkerResponse> {
        RETURN_IF_ERROR(core.ForgetWorker(now, *asked));
        return v1::ForgetWorkerResponse();
      }),
      response);
}

grpc::ServerUnaryReactor* JobService::ListEvents(grpc::CallbackServerContext* context,
                                                 const v1::ListEventsRequest* request,
                                                 v1::ListEventsResponse* response) {
  return ReplyWith(context, executor_.Run([&](Core& core, const Now& now) {
    return core.ListEvents(now, *request);
  }),
                   response);
}

std::function<absl::Status()> JobService::AdmissionOf(
    const grpc::CallbackServerContext& context) const {
  return [this, &context] { return authenticator_.CallerOf(context).status(); };
}

grpc::ServerWriteReactor<v1::WatchResponse>* JobService::Watch(grpc::CallbackServerContext* context,
                                                               const v1::WatchRequest* request) {
  return std::make_shared<WatchStream>(executor_, AdmissionOf(*context), *request)->Start();
}

grpc::ServerWriteReactor<v1::LogsResponse>* JobService::Logs(grpc::CallbackServerContext* context,
                                                             const v1::LogsRequest* request) {
  return std::make_shared<LogStream>(executor_, AdmissionOf(*context), logs_, *request)->Start();
}

}  // namespace mozgach

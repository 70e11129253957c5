#include "scheduler/job_service.h"

#include <memory>
#include <string>

#include "scheduler/streams.h"
#include "scheduler/unary_reply.h"

namespace mozgach {
namespace {

constexpr size_t kActorBytesMax = 256;

absl::Status CheckActor(const std::string& actor) {
  if (actor.size() <= kActorBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError("an actor of more than 256 bytes");
}

}  // namespace

grpc::ServerUnaryReactor* JobService::Submit(grpc::CallbackServerContext* context,
                                             const v1::SubmitRequest* request,
                                             v1::SubmitResponse* response) {
  // Thousands of specs are read before anybody waits for the desk.
  const absl::StatusOr<std::vector<Draft>> drafts = ReadDrafts(*request);
  absl::Status status = drafts.status();
  if (status.ok()) status = CheckActor(request->actor());
  if (!status.ok()) return ReplyWith<v1::SubmitResponse>(context, status, response);
  return ReplyWith(context, desk_.Ask([&](Core& core, const Moment& now) {
    return core.Submit(now, *request, *drafts);
  }),
                   response);
}

grpc::ServerUnaryReactor* JobService::List(grpc::CallbackServerContext* context,
                                           const v1::ListRequest* request,
                                           v1::ListResponse* response) {
  return ReplyWith(
      context, desk_.Ask([&](Core& core, const Moment& now) { return core.List(now, *request); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Get(grpc::CallbackServerContext* context,
                                          const v1::GetRequest* request, v1::Job* response) {
  return ReplyWith(
      context, desk_.Ask([&](Core& core, const Moment& now) { return core.Get(now, *request); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Cancel(grpc::CallbackServerContext* context,
                                             const v1::CancelRequest* request,
                                             v1::CancelResponse* response) {
  if (absl::Status status = CheckActor(request->actor()); !status.ok()) {
    return ReplyWith<v1::CancelResponse>(context, status, response);
  }
  return ReplyWith(
      context, desk_.Ask([&](Core& core, const Moment& now) { return core.Cancel(now, *request); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Retry(grpc::CallbackServerContext* context,
                                            const v1::RetryRequest* request,
                                            v1::RetryResponse* response) {
  if (absl::Status status = CheckActor(request->actor()); !status.ok()) {
    return ReplyWith<v1::RetryResponse>(context, status, response);
  }
  return ReplyWith(
      context, desk_.Ask([&](Core& core, const Moment& now) { return core.Retry(now, *request); }),
      response);
}

grpc::ServerUnaryReactor* JobService::Explain(grpc::CallbackServerContext* context,
                                              const v1::ExplainRequest* request,
                                              v1::ExplainResponse* response) {
  return ReplyWith(context, desk_.Ask([&](Core& core, const Moment& now) {
    return core.Explain(now, *request);
  }),
                   response);
}

grpc::ServerUnaryReactor* JobService::ListWorkers(grpc::CallbackServerContext* context,
                                                  const v1::ListWorkersRequest* request,
                                                  v1::ListWorkersResponse* response) {
  return ReplyWith(context, desk_.Ask([&](Core& core, const Moment& now) {
    return absl::StatusOr<v1::ListWorkersResponse>(core.ListWorkers(now));
  }),
                   response);
}

grpc::ServerUnaryReactor* JobService::DrainWorker(grpc::CallbackServerContext* context,
                                                  const v1::DrainWorkerRequest* request,
                                                  v1::Worker* response) {
  if (absl::Status status = CheckActor(request->actor()); !status.ok()) {
    return ReplyWith<v1::Worker>(context, status, response);
  }
  return ReplyWith(
      context, desk_.Ask([&](Core& core, const Moment& now) { return core.Drain(now, *request); }),
      response);
}

grpc::ServerUnaryReactor* JobService::ListEvents(grpc::CallbackServerContext* context,
                                                 const v1::ListEventsRequest* request,
                                                 v1::ListEventsResponse* response) {
  return ReplyWith(context, desk_.Ask([&](Core& core, const Moment& now) {
    return core.ListEvents(now, *request);
  }),
                   response);
}

grpc::ServerWriteReactor<v1::WatchResponse>* JobService::Watch(grpc::CallbackServerContext* context,
                                                               const v1::WatchRequest* request) {
  return std::make_shared<WatchStream>(desk_, *request)->Start();
}

grpc::ServerWriteReactor<v1::LogsResponse>* JobService::Logs(grpc::CallbackServerContext* context,
                                                             const v1::LogsRequest* request) {
  return std::make_shared<LogStream>(desk_, logs_, *request)->Start();
}

}  // namespace mozgach

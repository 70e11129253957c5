// The JobService: what people and programs ask of the queue, over gRPC.  Thread-safe.
#pragma once

#include <functional>

#include "mozgach/v1/job_service.grpc.pb.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/jobs/attempt_log.h"

namespace mozgach {

class JobService final : public v1::JobService::CallbackService {
 public:
  // All outlive the service.
  JobService(CoreExecutor& executor, BlobStore& blobs, const AttemptLogs& logs,
             const Authenticator& authenticator)
      : executor_(executor), blobs_(blobs), logs_(logs), authenticator_(authenticator) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListRequest* request,
                                 v1::ListResponse* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::Job* response) override;
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* context,
                                   const v1::CancelRequest* request,
                                   v1::CancelResponse* response) override;
  grpc::ServerUnaryReactor* Retry(grpc::CallbackServerContext* context,
                                  const v1::RetryRequest* request,
                                  v1::RetryResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* context,
                                        const v1::ListWorkersRequest* request,
                                        v1::ListWorkersResponse* response) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext* context,
                                        const v1::DrainWorkerRequest* request,
                                        v1::Worker* response) override;
  grpc::ServerUnaryReactor* ForgetWorker(grpc::CallbackServerContext* context,
                                         const v1::ForgetWorkerRequest* request,
                                         v1::ForgetWorkerResponse* response) override;
  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerWriteReactor<v1::LogsResponse>* Logs(grpc::CallbackServerContext* context,
                                                   const v1::LogsRequest* request) override;

 private:
  // Whether who asked is still let in, while its stream goes on.
  std::function<absl::Status()> AdmissionOf(const grpc::CallbackServerContext& context) const;
  absl::StatusOr<v1::SubmitResponse> Take(const grpc::CallbackServerContext& context,
                                          const v1::SubmitRequest& request);
  // A damaged dataset is missing from then on, and is sent again.
  absl::Status RemoveDamaged(const std::vector<CheckedSubmission>& submissions);
  absl::StatusOr<v1::ListResponse> ListInParts(const v1::ListRequest& request);

  CoreExecutor& executor_;
  BlobStore& blobs_;
  const AttemptLogs& logs_;
  const Authenticator& authenticator_;
};

}  // namespace mozgach

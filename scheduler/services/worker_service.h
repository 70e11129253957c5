// The WorkerService: Synchronize, blobs and logs over gRPC.  Thread-safe; decisions are the core's.
#pragma once

#include "mozgach/v1/worker_service.grpc.pb.h"
#include "registry/blob_store.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/access/call_memory.h"
#include "scheduler/executor/core_executor.h"
#include "scheduler/jobs/attempt_log.h"

namespace mozgach {

class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  // All outlive the service.
  WorkerService(CoreExecutor& executor, BlobStore& blobs, AttemptLogs& logs,
                const Authenticator& authenticator, CallMemory& memory)
      : executor_(executor),
        blobs_(blobs),
        logs_(logs),
        authenticator_(authenticator),
        memory_(memory) {}

  grpc::ServerUnaryReactor* Synchronize(grpc::CallbackServerContext* context,
                                        const v1::SynchronizeRequest* request,
                                        v1::SynchronizeResponse* response) override;
  grpc::ServerUnaryReactor* StatBlobs(grpc::CallbackServerContext* context,
                                      const v1::StatBlobsRequest* request,
                                      v1::StatBlobsResponse* response) override;
  grpc::ServerReadReactor<v1::UploadBlobRequest>* UploadBlob(
      grpc::CallbackServerContext* context, v1::UploadBlobResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadBlobResponse>* DownloadBlob(
      grpc::CallbackServerContext* context, const v1::DownloadBlobRequest* request) override;
  grpc::ServerUnaryReactor* AppendLog(grpc::CallbackServerContext* context,
                                      const v1::AppendLogRequest* request,
                                      v1::AppendLogResponse* response) override;

 private:
  absl::StatusOr<v1::StatBlobsResponse> FindBlobs(const v1::StatBlobsRequest& request) const;
  absl::StatusOr<v1::AppendLogResponse> Append(const grpc::CallbackServerContext& context,
                                               const v1::AppendLogRequest& request);

  CoreExecutor& executor_;
  BlobStore& blobs_;
  AttemptLogs& logs_;
  const Authenticator& authenticator_;
  CallMemory& memory_;
};

}  // namespace mozgach

// The BaseService: the bases of the fleet over gRPC.  Thread-safe; decisions are the core's.
#pragma once

#include "mozgach/v1/base_service.grpc.pb.h"
#include "registry/blob_store.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/executor/core_executor.h"

namespace mozgach {

class BaseService final : public v1::BaseService::CallbackService {
 public:
  // Both outlive the service.
  BaseService(CoreExecutor& executor, BlobStore& blobs, const Authenticator& authenticator)
      : executor_(executor), blobs_(blobs), authenticator_(authenticator) {}

  grpc::ServerUnaryReactor* AddBase(grpc::CallbackServerContext* context,
                                    const v1::AddBaseRequest* request,
                                    v1::AddBaseResponse* response) override;
  grpc::ServerUnaryReactor* ListBases(grpc::CallbackServerContext* context,
                                      const v1::ListBasesRequest* request,
                                      v1::ListBasesResponse* response) override;
  grpc::ServerUnaryReactor* VerifyBase(grpc::CallbackServerContext* context,
                                       const v1::VerifyBaseRequest* request,
                                       v1::VerifyBaseResponse* response) override;

 private:
  absl::StatusOr<v1::AddBaseResponse> Add(const grpc::CallbackServerContext& context,
                                          const v1::AddBaseRequest& request);
  absl::StatusOr<v1::VerifyBaseResponse> Verify(const std::string& base);
  // What is wrong with the blob of `file` on this disk; empty: nothing.
  absl::StatusOr<std::string> ProblemOf(const v1::File& file) const;

  CoreExecutor& executor_;
  BlobStore& blobs_;
  const Authenticator& authenticator_;
};

}  // namespace mozgach

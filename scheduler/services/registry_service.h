// The RegistryService: adapter versions over gRPC.  Thread-safe.
#pragma once

#include <filesystem>

#include "common/files.h"
#include "mozgach/v1/registry_service.grpc.pb.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/executor/core_executor.h"

namespace mozgach {

class RegistryService final : public v1::RegistryService::CallbackService {
 public:
  RegistryService(CoreExecutor& executor, const Authenticator& authenticator)
      : executor_(executor), authenticator_(authenticator) {}

  grpc::ServerUnaryReactor* ListVersions(grpc::CallbackServerContext* context,
                                         const v1::ListVersionsRequest* request,
                                         v1::ListVersionsResponse* response) override;
  grpc::ServerUnaryReactor* GetVersion(grpc::CallbackServerContext* context,
                                       const v1::GetVersionRequest* request,
                                       v1::Version* response) override;
  grpc::ServerUnaryReactor* SetAlias(grpc::CallbackServerContext* context,
                                     const v1::SetAliasRequest* request,
                                     v1::Version* response) override;
  grpc::ServerUnaryReactor* VerifyVersion(grpc::CallbackServerContext* context,
                                          const v1::VerifyVersionRequest* request,
                                          v1::VerifyVersionResponse* response) override;
  grpc::ServerWriteReactor<v1::DownloadFileResponse>* DownloadFile(
      grpc::CallbackServerContext* context, const v1::DownloadFileRequest* request) override;

 private:
  absl::StatusOr<v1::ListVersionsResponse> List(const std::string& domain);
  absl::StatusOr<v1::Version> Get(const v1::GetVersionRequest& request);
  absl::StatusOr<v1::Version> Point(const grpc::CallbackServerContext& context,
                                    const v1::SetAliasRequest& request);
  absl::StatusOr<v1::VerifyVersionResponse> Verify(const v1::VerifyVersionRequest& request);
  absl::StatusOr<FileDescriptor> OpenFile(const v1::DownloadFileRequest& request);

  CoreExecutor& executor_;
  const Authenticator& authenticator_;
};

}  // namespace mozgach

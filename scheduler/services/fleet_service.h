// The FleetService: tokens and revocations over gRPC.  Thread-safe.
#pragma once

#include <functional>

#include "mozgach/v1/fleet_service.grpc.pb.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/executor/core_executor.h"

namespace mozgach {

class FleetService final : public v1::FleetService::CallbackService {
 public:
  // All outlive the service.
  FleetService(CoreExecutor& executor, TokenStore& tokens, const Authenticator& authenticator)
      : executor_(executor), tokens_(tokens), authenticator_(authenticator) {}

  grpc::ServerUnaryReactor* WhoAmI(grpc::CallbackServerContext* context,
                                   const v1::WhoAmIRequest* request,
                                   v1::WhoAmIResponse* response) override;
  grpc::ServerUnaryReactor* AddToken(grpc::CallbackServerContext* context,
                                     const v1::AddTokenRequest* request,
                                     v1::Token* response) override;
  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext* context,
                                       const v1::ListTokensRequest* request,
                                       v1::ListTokensResponse* response) override;
  grpc::ServerUnaryReactor* Revoke(grpc::CallbackServerContext* context,
                                   const v1::RevokeRequest* request,
                                   v1::Revocation* response) override;

 private:
  absl::StatusOr<v1::Token> Add(const grpc::CallbackServerContext& context,
                                const v1::AddTokenRequest& request);
  v1::ListTokensResponse List();
  absl::StatusOr<v1::Revocation> TakeBack(const grpc::CallbackServerContext& context,
                                          const v1::RevokeRequest& request);
  // `change(now)` and the event it returns, in one transaction.
  absl::Status Write(const std::function<absl::StatusOr<Event>(WallTime)>& change);

  CoreExecutor& executor_;
  TokenStore& tokens_;
  const Authenticator& authenticator_;
};

}  // namespace mozgach

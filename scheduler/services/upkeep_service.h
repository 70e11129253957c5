// The UpkeepService: upkeep over gRPC.  Thread-safe.
#pragma once

#include "mozgach/v1/upkeep_service.grpc.pb.h"
#include "scheduler/access/authenticator.h"
#include "scheduler/upkeep/upkeep.h"

namespace mozgach {

class UpkeepService final : public v1::UpkeepService::CallbackService {
 public:
  // All outlive the service.
  UpkeepService(Upkeep& upkeep, const Authenticator& authenticator, const Clock& clock)
      : upkeep_(upkeep), authenticator_(authenticator), clock_(clock) {}

  grpc::ServerUnaryReactor* CheckConsistency(grpc::CallbackServerContext* context,
                                             const v1::CheckConsistencyRequest* request,
                                             v1::CheckConsistencyResponse* response) override;
  grpc::ServerUnaryReactor* CollectGarbage(grpc::CallbackServerContext* context,
                                           const v1::CollectGarbageRequest* request,
                                           v1::CollectGarbageResponse* response) override;

 private:
  absl::StatusOr<v1::CheckConsistencyResponse> LookAt(bool deep);
  absl::StatusOr<v1::CollectGarbageResponse> Collect(const grpc::CallbackServerContext& context,
                                                     const v1::CollectGarbageRequest& asked);

  Upkeep& upkeep_;
  const Authenticator& authenticator_;
  const Clock& clock_;
};

}  // namespace mozgach

// gRPC 1.51 has its own Status; ours is absl::Status.  The codes are the same numbers.
#pragma once

#include <grpcpp/support/status.h>

#include "common/status.h"

namespace mozgach {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace mozgach

// Bounds the memory that gRPC may use for messages that are being received.  Thread-safe.
//
// Above the bound gRPC resets calls: their callers see RESOURCE_EXHAUSTED and may try again.  A
// message that is larger than what may be received is not stored as a whole before it is refused.
#pragma once

#include <grpcpp/resource_quota.h>

#include <atomic>
#include <cstdint>

namespace mozgach {

class CallMemory {
 public:
  CallMemory();

  const grpc::ResourceQuota& quota() const { return quota_; }

  // One more, or one fewer, worker whose call is held.  Connections count against the bound too,
  // so it grows with the fleet.
  void Add(int64_t workers);

 private:
  grpc::ResourceQuota quota_;
  std::atomic<int64_t> workers_ = 0;
  std::atomic<int64_t> steps_ = 0;
};

}  // namespace mozgach

#include "scheduler/access/call_memory.h"

namespace mozgach {
namespace {

// Room for a few of the largest messages (64 MiB) at a time.
constexpr int64_t kMessageBytes = 256 << 20;
// A connection over TLS with a held call takes some 25 KiB.
constexpr int64_t kWorkerBytes = 32 << 10;
constexpr int64_t kWorkersInStep = 256;

size_t BytesFor(int64_t steps) {
  return static_cast<size_t>(kMessageBytes + steps * kWorkersInStep * kWorkerBytes);
}

}  // namespace

CallMemory::CallMemory() : quota_("mozgach calls") { quota_.Resize(BytesFor(0)); }

void CallMemory::Add(int64_t workers) {
  const int64_t steps = (workers_ += workers) / kWorkersInStep;
  if (steps_.exchange(steps) != steps) quota_.Resize(BytesFor(steps));
}

}  // namespace mozgach

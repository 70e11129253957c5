// A BlockPool allocates large blocks of CPU memory and keeps freed blocks for later allocations of
// the same size. Used and kept blocks together never exceed the highest use so far (plus a small
// constant), so the process never holds more than its tensors needed at once, and a repeating
// training step maps no new memory. Thread-safe.
#pragma once

#include <cstddef>
#include <map>

#include "common/mutex.h"

namespace mozgach {

class BlockPool {
 public:
  // Smaller blocks are allocated with malloc.
  static constexpr size_t kLeastBytes = size_t{256} << 10;

  // Returns a page-aligned block with undefined contents. Throws std::bad_alloc if the system has
  // no more memory.
  void* Take(size_t bytes);
  // Returns a block that Take(bytes) gave, with the same `bytes`.
  void Give(void* block, size_t bytes);

  // Unmaps all kept blocks and resets the highest use to the current use.
  void Release();

 private:
  void Unmap(std::multimap<size_t, void*>::iterator block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepWithin(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  std::multimap<size_t, void*> kept_ ABSL_GUARDED_BY(mutex_);  // by size
  size_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t used_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t most_used_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace mozgach

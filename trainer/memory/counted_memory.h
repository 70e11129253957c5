// What tensors on the CPU take, counted as they come and go by the names of the planner's table,
// so that a plan can be held against it.  Thread-safe; an allocation costs one uncontended lock
// more.
//
// A tensor counts for the line of the innermost MemoryScope of the thread that makes it, and for
// kWorking outside of any, until it is freed, wherever that happens.  On a CPU autograd goes back
// on the thread that asked for it.
#pragma once

#include <cstdint>

#include "planner/memory_line.h"

namespace mozgach {

struct CountedMemory {
  int64_t now = 0;
  int64_t peak = 0;       // highest `now` since ResetCountedPeak()
  MemoryLines at_peak{};  // by line, at that moment
};

// From here on libtorch's tensors on the CPU are counted.  Once, before the first tensor.
void StartCounting();
CountedMemory CountTensors();
void ResetCountedPeak();
// Blocks that were freed and are kept for the next tensors go back to the system: between jobs.
void ReleaseKeptBlocks();

// All tensors on the CPU together may take `bytes`: beyond that an allocation throws
// c10::OutOfMemoryError, as it does where the system gives no more.  0: no bound.
void BoundTensors(int64_t bytes);
int64_t BoundOfTensors();  // 0: none

class MemoryScope {
 public:
  explicit MemoryScope(MemoryLine line);
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  const MemoryLine outer_;
};

}  // namespace mozgach

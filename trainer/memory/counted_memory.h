// Counts the memory of CPU tensors under the names of the planner's table, so that a plan can be
// compared with the measured use. Thread-safe; each allocation takes one additional uncontended
// lock.
//
// A tensor counts for the line of the innermost MemoryScope of the thread that allocates it
// (outside of any scope: kWorking) until it is freed, on any thread. On a CPU, autograd runs the
// backward pass on the thread that called it.
#pragma once

#include <cstdint>

#include "planner/memory_line.h"

namespace mozgach {

struct CountedMemory {
  int64_t now = 0;
  int64_t peak = 0;       // highest `now` since ResetCountedPeak()
  MemoryLines at_peak{};  // by line, when `peak` was reached
};

// Counts all CPU tensors of libtorch from now on. Call it once, before the first tensor.
void StartCounting();
CountedMemory CountTensors();
void ResetCountedPeak();
// Unmaps the freed blocks that are kept for later tensors. For use between jobs.
void ReleaseKeptBlocks();

// Limits all CPU tensors together to `bytes`; 0: no limit. An allocation above the limit throws
// c10::OutOfMemoryError, as it does when the system has no more memory.
void BoundTensors(int64_t bytes);
int64_t BoundOfTensors();  // 0: no limit

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

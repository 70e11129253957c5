// The process as the engine needs it: threads, kernels that are safe to use, and memory that is
// measured and given back.  Call StartRuntime() once, before the first tensor.
#pragma once

#include <cstdint>

namespace mozgach {

// Switches off attention kernels that give wrong gradients (cuDNN's on Hopper) and reductions in
// half precision, and lets large freed blocks go back to the system at once.  Numbers are then the
// same on every run with the same thread count.
void StartRuntime();

// Threads of tensor operations; 0: one per core that this process may use.
void SetThreads(int threads);
int Threads();

// What this process holds on the device it computes on (compute_device.h), bytes: on a CPU its
// resident memory.
int64_t MemoryUsedBytes();
int64_t MemoryPeakBytes();  // highest MemoryUsedBytes() since ResetMemoryPeak()
void ResetMemoryPeak();     // where the system can; else the peak of the process's life stays

// Memory of that device; on a CPU of this machine, or of the control group that bounds this
// process.
int64_t MemoryTotalBytes();
int64_t MemoryFreeBytes();

// Gives memory that is freed but kept by the allocator back to the system: between jobs.
void ReleaseFreeMemory();

}  // namespace mozgach

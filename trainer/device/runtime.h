// Configures the process for training (threads, safe kernels) and measures and returns memory. Call
// StartRuntime() once, before the first tensor.
#pragma once

#include <cstdint>

namespace mozgach {

// Disables attention kernels with wrong gradients (cuDNN's on Hopper) and reductions in half
// precision, and makes large freed blocks return to the system at once. Every run with the same
// thread count then gives the same numbers.
void StartRuntime();

// Sets the number of threads for tensor operations; 0: one per core that this process may use.
void SetThreads(int threads);
int Threads();

// Memory of this process on its compute device (compute_device.h), in bytes. On a CPU: the resident
// memory.
int64_t MemoryUsedBytes();
int64_t MemoryPeakBytes();  // highest MemoryUsedBytes() since ResetMemoryPeak()
void ResetMemoryPeak();     // if the system supports it; else the peak since process start remains

// Memory of that device in bytes. On a CPU: of this machine, or of the control group that limits
// this process.
int64_t MemoryTotalBytes();
int64_t MemoryFreeBytes();

// Releases freed memory that the allocators still keep to the system. For use between jobs.
void ReleaseFreeMemory();

}  // namespace mozgach

// The device this process computes on: a GPU where the library sees one, else the CPU.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mozgach {

// Chosen at the first call.  MOZGACH_DEVICE=cpu in the environment keeps to the CPU;
// CUDA_VISIBLE_DEVICES says which GPU is the first.
at::Device ComputeDevice();

// What the processor or the GPU calls itself: "AMD EPYC 9654 96-Core Processor", "NVIDIA H200".  The
// architecture's name where the system does not tell.
std::string DeviceKind(at::Device device);

// Waits until all that was asked of `device` is done.
void Synchronize(at::Device device);

// What the library's allocator holds on a GPU, and what there is, bytes.
struct GpuMemory {
  int64_t used = 0;
  int64_t peak = 0;  // highest `used` since ResetGpuPeak()
  int64_t total = 0;
  int64_t free = 0;
};

// Nothing for the CPU.
std::optional<GpuMemory> MemoryOf(at::Device device);
void ResetGpuPeak(at::Device device);
// Gives back what is freed but kept.
void ReleaseGpuMemory(at::Device device);

}  // namespace mozgach

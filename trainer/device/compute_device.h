// The device this process computes on: a GPU where the library sees one, else the CPU.  One
// process, one device: a host with several GPUs runs a trainer on each.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

// All that this process could compute on: the GPUs that the library sees, else the CPU.
// MOZGACH_DEVICE=cpu in the environment hides the GPUs; CUDA_VISIBLE_DEVICES picks and orders them.
std::vector<at::Device> Devices();

// Makes the device called `name` ("cuda:1", "cpu") the one of this process.  Call it before the
// first ComputeDevice().  INVALID_ARGUMENT lists what there is.
absl::Status ChooseDevice(const std::string& name);

// The chosen one, else the first.
at::Device ComputeDevice();

// What the processor or the GPU calls itself: "AMD EPYC 9654 96-Core Processor", "NVIDIA H200". The
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

// The device that this process computes on: a GPU if libtorch sees one, else the CPU. A process
// uses one device; a host with several GPUs runs one trainer per GPU.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"

namespace mozgach {

// All devices that this process could compute on: the GPUs that libtorch sees, else the CPU.
// MOZGACH_DEVICE=cpu in the environment hides the GPUs; CUDA_VISIBLE_DEVICES selects and orders
// them.
std::vector<at::Device> Devices();

// Selects the device `name` ("cuda:1", "cpu") for this process. Call it before the first
// ComputeDevice(). Returns INVALID_ARGUMENT with the available devices if `name` is not one of
// them.
absl::Status ChooseDevice(const std::string& name);

// The selected device, else the first of Devices().
at::Device ComputeDevice();

// The model name of the processor or the GPU: "AMD EPYC 9654 96-Core Processor", "NVIDIA H200". The
// name of the architecture if the system does not report a model.
std::string DeviceKind(at::Device device);

// Waits until all work queued on `device` is done.
void Synchronize(at::Device device);

// Memory of a GPU in bytes.
struct GpuMemory {
  int64_t used = 0;  // allocated by libtorch
  int64_t peak = 0;  // highest `used` since ResetGpuPeak()
  int64_t total = 0;
  int64_t free = 0;
};

// Memory of `device`; nullopt for the CPU.
std::optional<GpuMemory> MemoryOf(at::Device device);
void ResetGpuPeak(at::Device device);
// Releases the GPU memory that libtorch has freed but still caches.
void ReleaseGpuMemory(at::Device device);

}  // namespace mozgach

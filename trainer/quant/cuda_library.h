// The parts of NVIDIA's driver and run-time compiler that cuda_kernel.cc needs, looked up in the
// shared libraries of the process. Signatures: the CUDA driver API and NVRTC reference.
#pragma once

#include <cstddef>

namespace mozgach {

// Functions of the driver API (cuda.h).
struct CudaDriver {
  int (*cuInit)(unsigned flags);
  int (*cuDeviceGet)(int* device, int ordinal);
  int (*cuDeviceGetAttribute)(int* value, int attribute, int device);
  int (*cuDevicePrimaryCtxRetain)(void** context, int device);
  int (*cuCtxGetCurrent)(void** context);
  int (*cuCtxSetCurrent)(void* context);
  int (*cuModuleLoadData)(void** module, const void* image);
  int (*cuModuleGetFunction)(void** function, void* module, const char* name);
  int (*cuLaunchKernel)(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                        unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                        void* stream, void** arguments, void** extra);
  int (*cuGetErrorString)(int error, const char** text);

  // Null if the driver is not installed.
  static const CudaDriver* Get();
};

inline constexpr int kComputeCapabilityMajor = 75;
inline constexpr int kComputeCapabilityMinor = 76;

struct CudaCompiler {
  int (*nvrtcCreateProgram)(void** program, const char* source, const char* name, int headers,
                            const char* const* header_sources, const char* const* header_names);
  int (*nvrtcCompileProgram)(void* program, int options, const char* const* option);
  int (*nvrtcGetCUBINSize)(void* program, size_t* size);
  int (*nvrtcGetCUBIN)(void* program, char* cubin);
  int (*nvrtcGetProgramLogSize)(void* program, size_t* size);
  int (*nvrtcGetProgramLog)(void* program, char* log);
  int (*nvrtcDestroyProgram)(void** program);

  // Null if NVRTC is not installed.
  static const CudaCompiler* Get();
};

inline constexpr int kNvrtcInvalidOption = 5;  // also for an unknown architecture

}  // namespace mozgach

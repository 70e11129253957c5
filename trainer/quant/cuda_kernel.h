// A CudaKernel is a function of our own on a CUDA device, compiled from its source when it is first
// needed: for the very device, with the compiler (NVRTC) that comes with the device's PyTorch.  No
// CUDA toolkit takes part in the build, and nothing is linked: compiler and driver are looked up in
// the libraries that PyTorch has loaded.
//
// Any thread.  A kernel lives as long as the process.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "common/status.h"

namespace mozgach {

// Machine code for compute capability `major`.`minor`.  UNAVAILABLE: there is no NVRTC, or none
// that knows this device; INTERNAL: the source is wrong, with the compiler's words.
absl::StatusOr<std::string> CompileCuda(const std::string& source, int major, int minor);

class CudaKernel {
 public:
  // The function `name` (extern "C") of `source`.  Errors: of CompileCuda; INTERNAL: the driver's.
  static absl::StatusOr<CudaKernel> Load(const std::string& source, const std::string& name,
                                         at::Device device);

  // On the current stream of the device, in order with what PyTorch does there.  `arguments` points
  // to each of the function's arguments.
  absl::Status Launch(unsigned blocks, unsigned threads, void** arguments) const;

 private:
  CudaKernel(void* function, at::Device device) : function_(function), device_(device) {}

  void* function_;
  at::Device device_;
};

}  // namespace mozgach

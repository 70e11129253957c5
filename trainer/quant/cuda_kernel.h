// A CudaKernel is one of our functions on a CUDA device. Its source is compiled at first use, for
// exactly this device, by the compiler (NVRTC) that comes with the device's PyTorch. The build
// needs no CUDA toolkit and links no CUDA library: compiler and driver are looked up in the
// libraries that PyTorch has loaded.
//
// Thread-safe. A kernel lives as long as the process.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "common/status.h"

namespace mozgach {

// Compiles `source` to machine code for compute capability `major`.`minor`. UNAVAILABLE if NVRTC is
// missing or does not support this device; INTERNAL with the compiler's message if the source is
// wrong.
absl::StatusOr<std::string> CompileCuda(const std::string& source, int major, int minor);

class CudaKernel {
 public:
  // Loads the function `name` (extern "C") of `source`. Errors of CompileCuda(); INTERNAL for
  // errors of the driver.
  static absl::StatusOr<CudaKernel> Load(const std::string& source, const std::string& name,
                                         at::Device device);

  // Runs the kernel on the current stream of the device, in order with PyTorch's work. `arguments`
  // points to each of the function's arguments.
  absl::Status Launch(unsigned blocks, unsigned threads, void** arguments) const;

 private:
  CudaKernel(void* function, at::Device device) : function_(function), device_(device) {}

  void* function_;
  at::Device device_;
};

}  // namespace mozgach

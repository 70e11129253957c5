#include "trainer/quant/cuda_kernel.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "trainer/quant/cuda_library.h"

namespace mozgach {
namespace {

absl::Status Checked(const CudaDriver& driver, int error, const char* what) {
  if (error == 0) return absl::OkStatus();
  const char* text = nullptr;
  driver.cuGetErrorString(error, &text);
  return absl::InternalError(
      absl::StrCat(what, ": ", text ? text : "unknown error", " (", error, ")"));
}

// Makes the device's context current. PyTorch does this in each thread at its first operation on
// the device, which may not have happened yet.
absl::Status EnterContext(const CudaDriver& driver, at::Device device) {
  void* context = nullptr;
  RETURN_IF_ERROR(Checked(driver, driver.cuCtxGetCurrent(&context), "cuCtxGetCurrent"));
  if (context != nullptr) return absl::OkStatus();
  int number = 0;
  RETURN_IF_ERROR(Checked(driver, driver.cuDeviceGet(&number, device.index()), "cuDeviceGet"));
  RETURN_IF_ERROR(Checked(driver, driver.cuDevicePrimaryCtxRetain(&context, number),
                          "cuDevicePrimaryCtxRetain"));
  return Checked(driver, driver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
}

absl::StatusOr<int> Attribute(const CudaDriver& driver, at::Device device, int attribute) {
  int number = 0, value = 0;
  RETURN_IF_ERROR(Checked(driver, driver.cuDeviceGet(&number, device.index()), "cuDeviceGet"));
  RETURN_IF_ERROR(Checked(driver, driver.cuDeviceGetAttribute(&value, attribute, number),
                          "cuDeviceGetAttribute"));
  return value;
}

std::string LogOf(const CudaCompiler& compiler, void* program) {
  size_t size = 0;
  if (compiler.nvrtcGetProgramLogSize(program, &size) != 0 || size <= 1) return "";
  std::string log(size, '\0');
  compiler.nvrtcGetProgramLog(program, log.data());
  log.resize(size - 1);
  return log;
}

}  // namespace

absl::StatusOr<std::string> CompileCuda(const std::string& source, int major, int minor) {
  const CudaCompiler* compiler = CudaCompiler::Get();
  if (compiler == nullptr) return absl::UnavailableError("NVRTC (libnvrtc) is missing");
  void* program = nullptr;
  if (compiler->nvrtcCreateProgram(&program, source.c_str(), "kernel.cu", 0, nullptr, nullptr) !=
      0) {
    return absl::InternalError("NVRTC rejected the program");
  }
  const absl::Cleanup destroy = [&] { compiler->nvrtcDestroyProgram(&program); };
  const std::string architecture = absl::StrCat("--gpu-architecture=sm_", major, minor);
  const char* options[] = {architecture.c_str(), "--std=c++14"};
  const int error = compiler->nvrtcCompileProgram(program, 2, options);
  if (error == kNvrtcInvalidOption) {
    return absl::UnavailableError(
        absl::StrCat("this NVRTC does not support compute capability ", major, ".", minor));
  }
  if (error != 0) return absl::InternalError(absl::StrCat("NVRTC: ", LogOf(*compiler, program)));
  size_t size = 0;
  if (compiler->nvrtcGetCUBINSize(program, &size) != 0 || size == 0) {
    return absl::InternalError("NVRTC produced no machine code");
  }
  std::string cubin(size, '\0');
  if (compiler->nvrtcGetCUBIN(program, cubin.data()) != 0)
    return absl::InternalError("NVRTC: cannot read the machine code");
  return cubin;
}

absl::StatusOr<CudaKernel> CudaKernel::Load(const std::string& source, const std::string& name,
                                            at::Device device) {
  const CudaDriver* driver = CudaDriver::Get();
  if (driver == nullptr) return absl::UnavailableError("the CUDA driver (libcuda) is missing");
  const c10::DeviceGuard guard(device);
  RETURN_IF_ERROR(Checked(*driver, driver->cuInit(0), "cuInit"));
  RETURN_IF_ERROR(EnterContext(*driver, device));
  ASSIGN_OR_RETURN(const int major, Attribute(*driver, device, kComputeCapabilityMajor));
  ASSIGN_OR_RETURN(const int minor, Attribute(*driver, device, kComputeCapabilityMinor));
  ASSIGN_OR_RETURN(const std::string cubin, CompileCuda(source, major, minor));
  void* module = nullptr;
  void* function = nullptr;
  RETURN_IF_ERROR(
      Checked(*driver, driver->cuModuleLoadData(&module, cubin.data()), "cuModuleLoadData"));
  RETURN_IF_ERROR(Checked(*driver, driver->cuModuleGetFunction(&function, module, name.c_str()),
                          "cuModuleGetFunction"));
  return CudaKernel(function, device);
}

absl::Status CudaKernel::Launch(unsigned blocks, unsigned threads, void** arguments) const {
  const CudaDriver& driver = *CudaDriver::Get();
  const c10::DeviceGuard guard(device_);
  RETURN_IF_ERROR(EnterContext(driver, device_));
  const c10::impl::VirtualGuardImpl device(device_.type());
  void* stream = device.getStreamNativeHandle(device.getStream(device_));
  return Checked(
      driver,
      driver.cuLaunchKernel(function_, blocks, 1, 1, threads, 1, 1, 0, stream, arguments, nullptr),
      "cuLaunchKernel");
}

}  // namespace mozgach

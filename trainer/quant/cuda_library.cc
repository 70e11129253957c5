#include "trainer/quant/cuda_library.h"

#include <dlfcn.h>

#include <initializer_list>

namespace mozgach {
namespace {

// Opens the first of these libraries that exists. It stays loaded.
void* Open(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  return nullptr;
}

template <typename Function>
bool Find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  return *function != nullptr;
}

#define MOZGACH_FIND(function) Find(library, #function, &table.function)

bool FindAll(void* library, CudaDriver& table) {
  return MOZGACH_FIND(cuInit) && MOZGACH_FIND(cuDeviceGet) && MOZGACH_FIND(cuDeviceGetAttribute) &&
         MOZGACH_FIND(cuDevicePrimaryCtxRetain) && MOZGACH_FIND(cuCtxGetCurrent) &&
         MOZGACH_FIND(cuCtxSetCurrent) && MOZGACH_FIND(cuModuleLoadData) &&
         MOZGACH_FIND(cuModuleGetFunction) && MOZGACH_FIND(cuLaunchKernel) &&
         MOZGACH_FIND(cuGetErrorString);
}

bool FindAll(void* library, CudaCompiler& table) {
  return MOZGACH_FIND(nvrtcCreateProgram) && MOZGACH_FIND(nvrtcCompileProgram) &&
         MOZGACH_FIND(nvrtcGetCUBINSize) && MOZGACH_FIND(nvrtcGetCUBIN) &&
         MOZGACH_FIND(nvrtcGetProgramLogSize) && MOZGACH_FIND(nvrtcGetProgramLog) &&
         MOZGACH_FIND(nvrtcDestroyProgram);
}

#undef MOZGACH_FIND

template <typename Table>
const Table* Load(std::initializer_list<const char*> names) {
  static Table table;
  void* library = Open(names);
  return library != nullptr && FindAll(library, table) ? &table : nullptr;
}

}  // namespace

const CudaDriver* CudaDriver::Get() {
  static const CudaDriver* driver = Load<CudaDriver>({"libcuda.so.1"});
  return driver;
}

const CudaCompiler* CudaCompiler::Get() {
  // The first library is PyTorch's own. It loads the NVRTC of PyTorch's CUDA version, wherever that
  // is installed.
  static const CudaCompiler* compiler =
      Load<CudaCompiler>({"libcaffe2_nvrtc.so", "libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"});
  return compiler;
}

}  // namespace mozgach

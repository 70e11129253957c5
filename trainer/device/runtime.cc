#include "trainer/device/runtime.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <thread>

#include "trainer/device/compute_device.h"
#include "trainer/memory/counted_memory.h"

namespace mozgach {
namespace {

// Tensors of at least this size come from the block pool; other large blocks return to the system
// at once.
constexpr int kLargeBlockBytes = 4 << 20;
constexpr int kKeptBytes = 16 << 20;

// Limit of compiled matrix products. oneDNN compiles one per shape; oneDNN and PyTorch each keep
// 1000 of them by default. Texts of many different lengths fill these caches, at 300 KiB per entry,
// outside of the counted memory. A training step needs fewer.
constexpr char kCompiledProducts[] = "64";

// The value in bytes of a line such as "VmRSS: 1234 kB" in a file below /proc.
std::optional<int64_t> KilobyteLine(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key + ":", 0) != 0) continue;
    return std::strtoll(line.c_str() + key.size() + 1, nullptr, 10) * 1024;
  }
  return std::nullopt;
}

// A number of this process's control group; nullopt if it is unlimited.
std::optional<int64_t> ControlGroupBytes(const char* file_name) {
  std::ifstream file(std::string("/sys/fs/cgroup/") + file_name);
  std::string text;
  if (!(file >> text) || text == "max") return std::nullopt;
  return std::strtoll(text.c_str(), nullptr, 10);
}

int UsableCores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return CPU_COUNT(&cores);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

void StartRuntime() {
  StartCounting();
  // oneDNN and PyTorch read these at the first product. Values that the user set are kept.
  setenv("LRU_CACHE_CAPACITY", kCompiledProducts, /*overwrite=*/0);  // PyTorch's
  setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", kCompiledProducts, /*overwrite=*/0);
  auto& context = at::globalContext();
  context.setSDPUseCuDNN(false);
  context.setAllowBF16ReductionCuBLAS(false);
  // Once set, glibc no longer adjusts these thresholds. ReleaseFreeMemory() returns what is kept.
  mallopt(M_MMAP_THRESHOLD, kLargeBlockBytes);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
}

void SetThreads(int threads) { at::set_num_threads(threads > 0 ? threads : UsableCores()); }

int Threads() { return at::get_num_threads(); }

int64_t MemoryUsedBytes() {
  if (const auto gpu = MemoryOf(ComputeDevice())) return gpu->used;
  return KilobyteLine("/proc/self/status", "VmRSS").value_or(0);
}

int64_t MemoryPeakBytes() {
  if (const auto gpu = MemoryOf(ComputeDevice())) return gpu->peak;
  if (auto peak = KilobyteLine("/proc/self/status", "VmHWM")) return *peak;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

void ResetMemoryPeak() {
  ResetGpuPeak(ComputeDevice());
  ResetCountedPeak();
  std::ofstream("/proc/self/clear_refs") << "5";
}

int64_t MemoryTotalBytes() {
  if (const auto gpu = MemoryOf(ComputeDevice())) return gpu->total;
  const int64_t machine = KilobyteLine("/proc/meminfo", "MemTotal").value_or(0);
  return std::min(machine, ControlGroupBytes("memory.max").value_or(machine));
}

int64_t MemoryFreeBytes() {
  if (const auto gpu = MemoryOf(ComputeDevice())) return gpu->free;
  const int64_t machine = KilobyteLine("/proc/meminfo", "MemAvailable").value_or(0);
  const auto limit = ControlGroupBytes("memory.max");
  const auto used = ControlGroupBytes("memory.current");
  if (!limit || !used) return machine;
  return std::clamp<int64_t>(*limit - *used, 0, machine);
}

void ReleaseFreeMemory() {
  ReleaseGpuMemory(ComputeDevice());
  ReleaseKeptBlocks();
  malloc_trim(0);
}

}  // namespace mozgach

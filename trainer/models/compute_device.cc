#include "trainer/models/compute_device.h"

#include <ATen/DeviceAccelerator.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"

namespace mozgach {
namespace {

at::Device Choose() {
  const char* asked = std::getenv("MOZGACH_DEVICE");
  if (asked != nullptr && std::string_view(asked) == "cpu") return at::kCPU;
  const auto type = at::accelerator::getAccelerator(/*checked=*/false);
  if (!type || at::accelerator::deviceCount() == 0) return at::kCPU;
  return *type == at::kMPS ? at::Device(*type) : at::Device(*type, 0);
}

// The value of "<key> : value" in a file below /proc; "" where there is none.
std::string FactOf(const std::filesystem::path& path, std::string_view key) {
  std::ifstream facts(path);
  for (std::string line; std::getline(facts, line);) {
    const size_t colon = line.find(':');
    if (line.rfind(key, 0) == 0 && colon != std::string::npos) {
      return std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
    }
  }
  return "";
}

// Of the GPU that CUDA_VISIBLE_DEVICES puts first.
std::string NvidiaModel() {
  std::error_code ignored;
  std::set<std::filesystem::path> gpus;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", ignored)) {
    gpus.insert(entry.path());
  }
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  const size_t first = visible == nullptr ? 0 : std::strtoul(visible, nullptr, 10);
  if (first >= gpus.size()) return "";
  return FactOf(*std::next(gpus.begin(), static_cast<long>(first)) / "information", "Model");
}

std::string ProcessorModel() {
  const std::string model = FactOf("/proc/cpuinfo", "model name");
  if (!model.empty()) return model;
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

}  // namespace

at::Device ComputeDevice() {
  static const at::Device device = Choose();
  return device;
}

std::string DeviceKind(at::Device device) {
  const std::string model = device.is_cuda() ? NvidiaModel() : ProcessorModel();
  return model.empty() ? device.str() : model;
}

void Synchronize(at::Device device) {
  if (!device.is_cpu()) at::accelerator::synchronizeDevice(device.index());
}

std::optional<GpuMemory> MemoryOf(at::Device device) {
  if (device.is_cpu()) return std::nullopt;
  constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto stats = at::accelerator::getDeviceStats(device.index());
  const auto [free, total] = at::accelerator::getMemoryInfo(device.index());
  return GpuMemory{stats.allocated_bytes[kAll].current, stats.allocated_bytes[kAll].peak,
                   static_cast<int64_t>(total), static_cast<int64_t>(free)};
}

void ResetGpuPeak(at::Device device) {
  if (!device.is_cpu()) at::accelerator::resetPeakStats(device.index());
}

void ReleaseGpuMemory(at::Device device) {
  if (!device.is_cpu()) at::accelerator::emptyCache();
}

}  // namespace mozgach

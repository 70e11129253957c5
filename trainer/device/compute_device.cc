#include "trainer/device/compute_device.h"

#include <ATen/DeviceAccelerator.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace mozgach {
namespace {

std::optional<at::Device>& Chosen() {
  static std::optional<at::Device> device;
  return device;
}

// The value of "<key> : value" in a file below /proc; "" if the key is missing.
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

// Index of GPU `index` among all GPUs of the host. CUDA_VISIBLE_DEVICES may select and order them
// by number.
size_t PlaceAmongAll(int64_t index) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) return static_cast<size_t>(index);
  const std::vector<std::string> listed = absl::StrSplit(visible, ',');
  if (index >= static_cast<int64_t>(listed.size())) return static_cast<size_t>(index);
  return std::strtoul(listed[static_cast<size_t>(index)].c_str(), nullptr, 10);
}

std::string NvidiaModel(int64_t index) {
  std::error_code ignored;
  std::set<std::filesystem::path> gpus;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", ignored)) {
    gpus.insert(entry.path());
  }
  const size_t place = PlaceAmongAll(index);
  if (place >= gpus.size()) return "";
  return FactOf(*std::next(gpus.begin(), static_cast<long>(place)) / "information", "Model");
}

std::string ProcessorModel() {
  const std::string model = FactOf("/proc/cpuinfo", "model name");
  if (!model.empty()) return model;
  utsname system{};
  return uname(&system) == 0 ? system.machine : "unknown";
}

}  // namespace

std::vector<at::Device> Devices() {
  const char* asked = std::getenv("MOZGACH_DEVICE");
  const bool hidden = asked != nullptr && std::string_view(asked) == "cpu";
  const auto type = at::accelerator::getAccelerator(/*checked=*/false);
  const int count = hidden || !type ? 0 : at::accelerator::deviceCount();
  if (count == 0) return {at::kCPU};
  if (*type == at::kMPS) return {at::Device(*type)};
  std::vector<at::Device> devices;
  for (int i = 0; i < count; ++i) devices.emplace_back(*type, static_cast<c10::DeviceIndex>(i));
  return devices;
}

absl::Status ChooseDevice(const std::string& name) {
  std::vector<std::string> names;
  std::vector<at::Device> devices = Devices();
  if (!devices.front().is_cpu()) devices.emplace_back(at::kCPU);
  for (const at::Device& device : devices) {
    names.push_back(device.str());
    if (names.back() != name) continue;
    if (device.has_index()) at::accelerator::setDeviceIndex(device.index());
    Chosen() = device;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("device '", name, "' does not exist; available: ", absl::StrJoin(names, ", ")));
}

at::Device ComputeDevice() {
  std::optional<at::Device>& device = Chosen();
  if (!device) device = Devices().front();
  return *device;
}

std::string DeviceKind(at::Device device) {
  const std::string model = device.is_cuda() ? NvidiaModel(device.index()) : ProcessorModel();
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

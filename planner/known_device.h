// Devices that people own, by name, and sizes as people write them.  Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"
#include "planner/step_shape.h"

namespace mozgach {

struct KnownDevice {
  std::string name;
  DeviceClass device = DeviceClass::kGpu;
  int64_t memory_bytes = 0;
};

const std::vector<KnownDevice>& KnownDevices();

// By its name or the end of it; case, "NVIDIA", "GeForce" and "Apple" do not count.
// INVALID_ARGUMENT lists the names that are near.
absl::StatusOr<KnownDevice> FindDevice(std::string_view name);

// Parses the memory of a device (common/size_text.h). INVALID_ARGUMENT if it is not a size, less
// than 64 MiB, or more than 1 PB.
absl::StatusOr<int64_t> ParseMemorySize(std::string_view text);

}  // namespace mozgach

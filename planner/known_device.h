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

// "16GiB", "16G", "24 GB", "900M", bytes without a unit; GB are 10^9, GiB and G 2^30.
// INVALID_ARGUMENT for what is no size, or less than 64 MiB or more than 1 PiB.
absl::StatusOr<int64_t> ParseMemorySize(std::string_view text);

}  // namespace mozgach

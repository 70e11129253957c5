// Sizes in bytes as people write and read them: "16GiB", "900M", "4.5 GiB". The only parser and the
// only printer of sizes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/status.h"

namespace mozgach {

// Parses a number and a unit: none or B (bytes), K, M, G, T and KiB … TiB (powers of 1024), KB … TB
// (powers of 1000), in any case. INVALID_ARGUMENT unless it is above 0 and below 1e18 bytes.
absl::StatusOr<uint64_t> ParseSize(std::string_view text);

// "512 B", "4.5 GiB": one digit after the point, up to TiB.
std::string FormatSize(uint64_t bytes);

}  // namespace mozgach

// Parses and checks the header of a safetensors file; SafetensorsFile lists what is rejected.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/status.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {

// The reference implementation's limit. A larger header is an attack or an accident.
inline constexpr uint64_t kHeaderLimitBytes = 100'000'000;

struct SafetensorsHeader {
  std::map<std::string, StoredTensor> tensors;  // their bytes point into the file
  std::map<std::string, std::string> metadata;
};

// Parses the header of `file`, the bytes of the whole file. DATA_LOSS says what is wrong, without
// the file's name.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view file);

}  // namespace mozgach

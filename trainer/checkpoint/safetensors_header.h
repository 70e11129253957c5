// The header of a safetensors file, checked: see SafetensorsFile for what is refused.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/status.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {

// As in the reference implementation: a larger header is an attack or an accident.
inline constexpr uint64_t kHeaderLimitBytes = 100'000'000;

struct SafetensorsHeader {
  std::map<std::string, StoredTensor> tensors;  // their bytes point into the file
  std::map<std::string, std::string> metadata;
};

// `file` holds the bytes of the whole file.  DATA_LOSS says what is wrong, without the file's name.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view file);

}  // namespace mozgach

// Weights for tests: a safetensors file of one tensor, whose bytes are what the test says.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace mozgach {

inline std::string WithHeader(const std::string& header, const std::string& bytes) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(uint64_t{header.size()} >> (8 * i));
  return absl::StrCat(file, header, bytes);
}

inline std::string Weights(const std::string& bytes) {
  return WithHeader(absl::StrCat(R"({"a":{"dtype":"U8","shape":[)", bytes.size(),
                                 R"(],"data_offsets":[0,)", bytes.size(), "]}}"),
                    bytes);
}

}  // namespace mozgach

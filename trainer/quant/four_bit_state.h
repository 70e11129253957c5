// Parses and writes the JSON that bitsandbytes stores with a 4-bit weight (four_bit_checkpoint.h).
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status.h"

namespace mozgach {

struct FourBitState {
  std::string quant_type;  // nf4 | fp4
  int64_t block = 0;
  at::ScalarType dtype = at::kFloat;  // float32, bfloat16 or float16
  std::vector<int64_t> shape;

  struct Nested {
    int64_t block = 0;
    float offset = 0;
  };
  std::optional<Nested> nested;  // only with double quantisation
};

// DATA_LOSS says which key is missing or what is wrong with it.
absl::StatusOr<FourBitState> ParseFourBitState(std::string_view json);

// Writes the keys in the same order and spelling as bitsandbytes.
std::string FourBitStateJson(const FourBitState& state);

}  // namespace mozgach

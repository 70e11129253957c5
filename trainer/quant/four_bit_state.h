// The JSON beside a weight that bitsandbytes stored in 4 bits (four_bit_checkpoint.h).
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
  std::optional<Nested> nested;  // with double quantisation
};

// DATA_LOSS says which key is missing or what is wrong with it.
absl::StatusOr<FourBitState> ParseFourBitState(std::string_view json);

// The same keys in the same order and spelling as bitsandbytes writes them.
std::string FourBitStateJson(const FourBitState& state);

}  // namespace mozgach

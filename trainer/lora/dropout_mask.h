// Dropout masks as a pure function of the place where they are used. Backward and recomputed layers
// draw the same mask again, and a training checkpoint has no random state to save.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mozgach {

struct DropoutKey {
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t micro_batch = 0;
  uint32_t place = 0;  // layer · projections + projection
};

// Returns [rows, columns]: 0 with `probability`, else 1 / (1 - probability). The same on every
// machine and device.
at::Tensor DropoutMask(const DropoutKey& key, double probability, int64_t rows, int64_t columns,
                       const at::TensorOptions& options);

}  // namespace mozgach

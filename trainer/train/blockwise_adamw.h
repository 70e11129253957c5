// AdamW with 8-bit moments (Dettmers et al., "8-bit Optimizers via Block-wise Quantization", 2022),
// as bitsandbytes' AdamW8bit. In blocks of 256, the first moment is stored in the signed dynamic
// type and the second in the unsigned one, each with the block's largest absolute value. A value is
// rounded to the nearest level, as in bitsandbytes on a GPU. bitsandbytes on a CPU uses a lookup
// table with even steps, which rounds small second moments to 0.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mozgach {

struct BlockwiseMoment {
  at::Tensor codes;   // uint8 [elements]
  at::Tensor absmax;  // float32 [ceil(elements / 256)]
};

struct BlockwiseMoments {
  BlockwiseMoment exp_avg;
  BlockwiseMoment exp_avg_sq;

  // Zero moments for a parameter with `elements` elements.
  static BlockwiseMoments Zeros(int64_t elements, at::Device device);
};

// Settings of one update; `step` counts from 1.
struct AdamWUpdate {
  double learning_rate = 0;
  double beta1 = 0;
  double beta2 = 0;
  double weight_decay = 0;
  double epsilon = 0;
  int64_t step = 1;
};

// Updates `parameter` (float32, contiguous) and its moments in place. The result does not depend on
// the thread count. Records no gradients: call it under at::NoGradGuard.
void UpdateBlockwise(const AdamWUpdate& update, const at::Tensor& gradient,
                     const at::Tensor& parameter, const BlockwiseMoments& moments);

}  // namespace mozgach

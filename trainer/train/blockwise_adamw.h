// AdamW with moments of 8 bits (Dettmers et al., "8-bit Optimizers via Block-wise Quantization",
// 2022), as bitsandbytes' AdamW8bit: in blocks of 256 the first moment is stored in the signed
// dynamic type and the second in the unsigned one, each next to the block's largest absolute value.
// A value goes to the nearest level, as in bitsandbytes on a GPU; its code for processors looks it
// up in a table of even steps, which makes small second moments 0.
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

  // Zeros for a parameter of that many elements.
  static BlockwiseMoments Zeros(int64_t elements, at::Device device);
};

// One update's numbers; `step` counts from 1.
struct AdamWUpdate {
  double learning_rate = 0;
  double beta1 = 0;
  double beta2 = 0;
  double weight_decay = 0;
  double epsilon = 0;
  int64_t step = 1;
};

// Updates `parameter` (float32, contiguous) and its moments in place.  The numbers do not depend on
// the count of threads.  No gradients are recorded: call it under at::NoGradGuard.
void UpdateBlockwise(const AdamWUpdate& update, const at::Tensor& gradient,
                     const at::Tensor& parameter, const BlockwiseMoments& moments);

}  // namespace mozgach

// Recomputation: a layer saves only its input and runs again in backward (gradient checkpointing;
// Chen et al., "Training deep nets with sublinear memory cost", 2016).
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/pass.h"
#include "trainer/models/decoder_layer.h"

namespace mozgach {

// Same as layer.Forward(x, pass), with bit-identical gradients. `layer` must outlive backward.
at::Tensor Checkpointed(const DecoderLayer& layer, int64_t index, const at::Tensor& x,
                        const Pass& pass);

}  // namespace mozgach

// Gradient checkpointing: a layer keeps its input only and runs again in backward (Chen et al.,
// "Training deep nets with sublinear memory cost", 2016).
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/attention/pass.h"
#include "trainer/models/decoder_layer.h"

namespace mozgach {

// layer.Forward(x, pass), with the same gradients to the last bit.  `layer` outlives backward.
at::Tensor Checkpointed(const DecoderLayer& layer, int64_t index, const at::Tensor& x,
                        const Pass& pass);

}  // namespace mozgach

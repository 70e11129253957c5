#include "trainer/models/decoder_layer.h"

#include <ATen/ops/add.h>

#include "trainer/models/rms_norm.h"
#include "trainer/models/swiglu.h"

namespace mozgach {

at::Tensor PreNormLayer::Forward(const at::Tensor& x, const Pass& pass) const {
  const Weights& w = weights_;
  const at::Tensor attended =
      at::add(x, Attend(w.attention, RmsNorm(x, w.input_norm, w.norm_eps), pass));
  const at::Tensor gate_up =
      Apply(w.gate_up, RmsNorm(attended, w.post_attention_norm, w.norm_eps), pass.lora);
  return at::add(attended, Apply(w.down, SwiGlu(gate_up), pass.lora));
}

}  // namespace mozgach

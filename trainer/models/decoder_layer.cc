#include "trainer/models/decoder_layer.h"

#include <ATen/ops/add.h>

#include "trainer/models/gated_unit.h"
#include "trainer/models/rms_norm.h"

namespace mozgach {

at::Tensor PreNormLayer::Norm(const at::Tensor& x, const at::Tensor& weight) const {
  return weight.defined() ? RmsNorm(x, weight, weights_.norm_eps) : x;
}

at::Tensor PreNormLayer::Forward(const at::Tensor& x, const Pass& pass) const {
  const Weights& w = weights_;
  const at::Tensor attention = Attend(w.attention, Norm(x, w.input_norm), pass);
  const at::Tensor attended = at::add(x, Norm(attention, w.attention_out_norm));
  const at::Tensor gate_up = Apply(w.gate_up, Norm(attended, w.mlp_norm), pass.lora);
  const at::Tensor mlp = Apply(w.down, GatedUnit(w.activation, gate_up), pass.lora);
  return at::add(attended, Norm(mlp, w.mlp_out_norm));
}

}  // namespace mozgach

#include "trainer/models/decoder_layer.h"

#include <ATen/ops/add.h>

#include <memory>
#include <utility>

#include "trainer/kernels/rms_norm.h"
#include "trainer/lora/remade_linear.h"
#include "trainer/models/gated_unit.h"

namespace mozgach {
namespace {

class NormRecipe : public InputRecipe {
 public:
  NormRecipe(at::Tensor weight, double eps) : weight_(std::move(weight)), eps_(eps) {}
  at::Tensor Make(const at::Tensor& x) const override { return RmsNorm(x, weight_, eps_); }
  at::Tensor Gradient(const at::Tensor& x, const at::Tensor& grad_y) const override {
    return RmsNormGradient(x, weight_, eps_, grad_y);
  }

 private:
  at::Tensor weight_;
  double eps_;
};

class GateRecipe : public InputRecipe {
 public:
  explicit GateRecipe(Activation activation) : activation_(activation) {}
  at::Tensor Make(const at::Tensor& gate_up) const override {
    return GatedUnit(activation_, gate_up);
  }
  at::Tensor Gradient(const at::Tensor& gate_up, const at::Tensor& grad_y) const override {
    return GatedUnitGradient(activation_, gate_up, grad_y);
  }

 private:
  Activation activation_;
};

}  // namespace

at::Tensor PreNormLayer::Norm(const at::Tensor& x, const at::Tensor& weight) const {
  return weight.defined() ? RmsNorm(x, weight, weights_.norm_eps) : x;
}

at::Tensor PreNormLayer::NormedProduct(const AdaptedLinear& linear, const at::Tensor& weight,
                                       const at::Tensor& x, const Pass& pass) const {
  if (!pass.RemakesCheapParts()) return Apply(linear, Norm(x, weight), pass.lora);
  return ApplyRemade(linear, x, std::make_shared<NormRecipe>(weight, weights_.norm_eps), pass.lora);
}

at::Tensor PreNormLayer::GatedProduct(const AdaptedLinear& linear, const at::Tensor& gate_up,
                                      const Pass& pass) const {
  const Activation activation = weights_.activation;
  if (!pass.RemakesCheapParts()) return Apply(linear, GatedUnit(activation, gate_up), pass.lora);
  return ApplyRemade(linear, gate_up, std::make_shared<GateRecipe>(activation), pass.lora);
}

at::Tensor PreNormLayer::Forward(const at::Tensor& x, const Pass& pass) const {
  const Weights& w = weights_;
  const at::Tensor qkv = NormedProduct(w.attention.qkv, w.input_norm, x, pass);
  const at::Tensor attention = Attend(w.attention, qkv, pass);
  const at::Tensor attended = at::add(x, Norm(attention, w.attention_out_norm));
  const at::Tensor gate_up = NormedProduct(w.gate_up, w.mlp_norm, attended, pass);
  const at::Tensor mlp = GatedProduct(w.down, gate_up, pass);
  return at::add(attended, Norm(mlp, w.mlp_out_norm));
}

}  // namespace mozgach

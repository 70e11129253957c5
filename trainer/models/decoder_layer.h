// A DecoderLayer is one block of a decoder. Each model family has its own composition.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "planner/model_config.h"
#include "trainer/attention/attention.h"
#include "trainer/attention/pass.h"
#include "trainer/lora/adapted_linear.h"

namespace mozgach {

class DecoderLayer {
 public:
  virtual ~DecoderLayer() = default;

  // Maps x [tokens, hidden] to the same shape. Differentiable with respect to x and the adapter.
  virtual at::Tensor Forward(const at::Tensor& x, const Pass& pass) const = 0;
};

// Computes x + attention(norm(x)), then x + mlp(norm(x)) with a gated unit. Gemma 3 has two
// additional norms, on the results of attention and mlp before the addition.
class PreNormLayer : public DecoderLayer {
 public:
  struct Weights {
    at::Tensor input_norm;          // [hidden], in the types of RmsNorm()'s weight
    at::Tensor attention_out_norm;  // the same; undefined: no norm
    at::Tensor mlp_norm;            // the same
    at::Tensor mlp_out_norm;        // the same; undefined: no norm
    Attention attention;
    AdaptedLinear gate_up;
    AdaptedLinear down;
    Activation activation = Activation::kSilu;
    double norm_eps = 1e-6;
  };
  explicit PreNormLayer(Weights weights) : weights_(std::move(weights)) {}

  at::Tensor Forward(const at::Tensor& x, const Pass& pass) const override;

 private:
  at::Tensor Norm(const at::Tensor& x, const at::Tensor& weight) const;
  // NormedProduct: linear(norm(x)). GatedProduct: linear(activation · up).
  at::Tensor NormedProduct(const AdaptedLinear& linear, const at::Tensor& weight,
                           const at::Tensor& x, const Pass& pass) const;
  at::Tensor GatedProduct(const AdaptedLinear& linear, const at::Tensor& gate_up,
                          const Pass& pass) const;

  Weights weights_;
};

}  // namespace mozgach

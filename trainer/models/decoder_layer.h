// A DecoderLayer is one block of a decoder.  Families differ in what theirs is made of.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "trainer/lora/adapted_linear.h"
#include "trainer/models/attention.h"
#include "trainer/models/pass.h"

namespace mozgach {

class DecoderLayer {
 public:
  virtual ~DecoderLayer() = default;

  // x [tokens, hidden] → the same.  Differentiable with respect to x and the adapter.
  virtual at::Tensor Forward(const at::Tensor& x, const Pass& pass) const = 0;
};

// Llama's and Qwen2's block: x + attention(norm(x)), then x + mlp(norm(x)) with SwiGLU.
class PreNormLayer : public DecoderLayer {
 public:
  struct Weights {
    at::Tensor input_norm;           // [hidden] in the compute type
    at::Tensor post_attention_norm;  // the same
    Attention attention;
    AdaptedLinear gate_up;
    AdaptedLinear down;
    double norm_eps = 1e-6;
  };
  explicit PreNormLayer(Weights weights) : weights_(std::move(weights)) {}

  at::Tensor Forward(const at::Tensor& x, const Pass& pass) const override;

 private:
  Weights weights_;
};

}  // namespace mozgach

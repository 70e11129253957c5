// An AdaptedLinear whose input is cheap to compute from a tensor that is saved anyway. The input is
// not saved for the backward pass but computed again.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "trainer/lora/adapted_linear.h"

namespace mozgach {

// Computes the input from the saved tensor. Immutable; its own tensors are frozen.
class InputRecipe {
 public:
  virtual ~InputRecipe() = default;
  // Maps [tokens, n] to [tokens, in]. Gives the same bits each time.
  virtual at::Tensor Make(const at::Tensor& kept) const = 0;
  // The gradient with respect to `kept`, given the gradient with respect to the input.
  virtual at::Tensor Gradient(const at::Tensor& kept, const at::Tensor& grad_input) const = 0;
};

// Same as Apply(linear, recipe.Make(kept), context), with bit-identical gradients.
at::Tensor ApplyRemade(const AdaptedLinear& linear, const at::Tensor& kept,
                       std::shared_ptr<const InputRecipe> recipe, const LoraContext& context);

}  // namespace mozgach

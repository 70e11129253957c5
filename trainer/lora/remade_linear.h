// An AdaptedLinear whose input is cheap to make from something that is kept anyway: the input
// itself is not kept for the backward pass, but made again.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "trainer/lora/adapted_linear.h"

namespace mozgach {

// How the input comes from what is kept.  Immutable; its tensors are frozen.
class InputRecipe {
 public:
  virtual ~InputRecipe() = default;
  // [tokens, n] → [tokens, in].  The same bits each time.
  virtual at::Tensor Make(const at::Tensor& kept) const = 0;
  // The gradient with respect to `kept` from that with respect to the input.
  virtual at::Tensor Gradient(const at::Tensor& kept, const at::Tensor& grad_input) const = 0;
};

// Apply(linear, recipe.Make(kept), context), with the same gradients to the last bit.
at::Tensor ApplyRemade(const AdaptedLinear& linear, const at::Tensor& kept,
                       std::shared_ptr<const InputRecipe> recipe, const LoraContext& context);

}  // namespace mozgach

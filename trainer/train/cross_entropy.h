// Cross-entropy over the vocabulary without holding all logits in memory. A chunk of tokens at a
// time goes through the frozen head, in float32 from the logits on, and the gradient with respect
// to the hidden states is computed in the same pass. Memory: one chunk of logits in the type of the
// head, which is overwritten with its gradient.
//
// `hidden` [tokens, hidden] contains only the positions that predict a trained token; `targets`
// [tokens] int64 are those tokens; `head` [vocab, hidden] is in the type of `hidden`. `chunk_bytes`
// limits the logits in memory at once and costs time; 0: the fastest size.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// Returns the sum of the negative log-likelihoods, a float32 scalar. Differentiable with respect to
// `hidden`.
at::Tensor SummedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head,
                              const at::Tensor& targets, int64_t chunk_bytes = 0);

// Returns the negative log-likelihood of each target, [tokens] float32. Records no gradients.
at::Tensor TokenNll(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets);

}  // namespace mozgach

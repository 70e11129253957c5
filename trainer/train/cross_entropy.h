// Cross-entropy over the vocabulary without ever holding all logits: hidden states go through the
// frozen head a chunk of tokens at a time, in float32 from the logits on, and the gradient with
// respect to the hidden states is made in the same pass.  Memory: one chunk of logits in the type
// of the head, which become their own gradient.
//
// `hidden` [tokens, hidden] holds only the positions that predict a trained token; `targets`
// [tokens] int64 are those tokens; `head` [vocab, hidden] is in the type of `hidden`. `chunk_bytes`
// bounds the logits that are held at once, at a price; 0: as many as are fastest.
#pragma once

#include <ATen/core/Tensor.h>

namespace mozgach {

// Sum of the negative log-likelihoods, a float32 scalar.  Differentiable with respect to `hidden`.
at::Tensor SummedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head,
                              const at::Tensor& targets, int64_t chunk_bytes = 0);

// The negative log-likelihood of each target, [tokens] float32.  No gradients.
at::Tensor TokenNll(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets);

}  // namespace mozgach

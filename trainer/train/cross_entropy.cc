#include "trainer/train/cross_entropy.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

namespace mozgach {
namespace {

constexpr int64_t kChunkBytes = int64_t{128} << 20;

// Tokens whose logits are held at once: enough for a good product, whatever the vocabulary.
int64_t ChunkTokens(const at::Tensor& head) {
  return std::clamp<int64_t>(kChunkBytes / (4 * head.size(0)), 64, 8192);
}

at::Tensor ChunkLogits(const at::Tensor& hidden, const at::Tensor& head) {
  return at::matmul(hidden, head.t()).to(at::kFloat);
}

// NLL [tokens] of one chunk; `logits` becomes the logarithm of the probabilities.
at::Tensor ChunkNll(at::Tensor& logits, const at::Tensor& targets) {
  logits.sub_(at::logsumexp(logits, {1}, /*keepdim=*/true));
  return at::gather(logits, 1, targets.unsqueeze(1)).squeeze(1).neg_();
}

class SummedCrossEntropyFunction
    : public torch::autograd::Function<SummedCrossEntropyFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& head, const at::Tensor& targets) {
    const int64_t tokens = hidden.size(0), chunk = ChunkTokens(head);
    at::Tensor gradient = at::empty_like(hidden);
    at::Tensor sum = at::zeros({}, hidden.options().dtype(at::kFloat).requires_grad(false));
    for (int64_t begin = 0; begin < tokens; begin += chunk) {
      const int64_t length = std::min(chunk, tokens - begin);
      const at::Tensor chunk_targets = targets.narrow(0, begin, length);
      at::Tensor logits = ChunkLogits(hidden.narrow(0, begin, length), head);
      const at::Tensor nll = ChunkNll(logits, chunk_targets);
      sum.add_(nll.sum());
      const at::Tensor index = chunk_targets.unsqueeze(1);
      logits.exp_().scatter_add_(1, index, at::ones_like(index, logits.options()).neg_());
      gradient.narrow(0, begin, length).copy_(at::mm(logits.to(head.scalar_type()), head));
    }
    context->save_for_backward({gradient});
    return sum;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outer) {
    const at::Tensor gradient = context->get_saved_variables()[0];
    return {at::mul(gradient, outer[0].to(gradient.scalar_type())), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor SummedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head,
                              const at::Tensor& targets) {
  return SummedCrossEntropyFunction::apply(hidden, head, targets);
}

at::Tensor TokenNll(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> chunks;
  const int64_t tokens = hidden.size(0), chunk = ChunkTokens(head);
  for (int64_t begin = 0; begin < tokens; begin += chunk) {
    const int64_t length = std::min(chunk, tokens - begin);
    at::Tensor logits = ChunkLogits(hidden.narrow(0, begin, length), head);
    chunks.push_back(ChunkNll(logits, targets.narrow(0, begin, length)));
  }
  if (chunks.empty()) return at::zeros({0}, hidden.options().dtype(at::kFloat));
  return at::cat(chunks);
}

}  // namespace mozgach

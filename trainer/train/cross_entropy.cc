#include "trainer/train/cross_entropy.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "planner/step_bounds.h"
#include "trainer/kernels/kernel_types.h"
#include "trainer/kernels/loss_kernels.h"

namespace mozgach {
namespace {

// Calls each(hidden, targets, begin) for each chunk of tokens.
template <typename Each>
void OverChunks(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets,
                int64_t chunk_bytes, Each each) {
  const int64_t tokens = hidden.size(0);
  const int64_t chunk =
      LossChunkTokens(head.size(0), static_cast<int64_t>(head.element_size()), tokens, chunk_bytes);
  for (int64_t begin = 0; begin < tokens; begin += chunk) {
    const int64_t length = std::min(chunk, tokens - begin);
    each(hidden.narrow(0, begin, length), targets.narrow(0, begin, length), begin);
  }
}

at::Tensor RowsOf(const at::Tensor& logits) {
  return at::empty({logits.size(0)}, logits.options().dtype(at::kFloat));
}

// Returns the NLL [tokens] of one chunk in float32.
at::Tensor ChunkNll(const at::Tensor& logits, const at::Tensor& targets) {
  if (!HasRowKernel(logits)) {
    const at::Tensor wide = logits.to(at::kFloat);
    const at::Tensor picked = at::gather(wide, 1, targets.unsqueeze(1)).squeeze(1);
    return at::sub(at::logsumexp(wide, {1}), picked);
  }
  at::Tensor nll = RowsOf(logits);
  WithType(logits, [&]<typename T>(T) {
    NllRows(logits.const_data_ptr<T>(), targets.const_data_ptr<int64_t>(), logits.size(0),
            logits.size(1), nll.mutable_data_ptr<float>());
  });
  return nll;
}

// The same; overwrites `logits` with their gradient.
at::Tensor ChunkNllAndGradient(at::Tensor& logits, const at::Tensor& targets) {
  if (!HasRowKernel(logits)) {
    const at::Tensor nll = ChunkNll(logits, targets), index = targets.unsqueeze(1);
    at::Tensor wide = logits.to(at::kFloat);
    wide.sub_(at::logsumexp(wide, {1}, /*keepdim=*/true)).exp_();
    wide.scatter_add_(1, index, at::ones_like(index, wide.options()).neg_());
    logits.copy_(wide);
    return nll;
  }
  at::Tensor nll = RowsOf(logits);
  WithType(logits, [&]<typename T>(T) {
    NllGradRows(logits.mutable_data_ptr<T>(), targets.const_data_ptr<int64_t>(), logits.size(0),
                logits.size(1), nll.mutable_data_ptr<float>());
  });
  return nll;
}

class SummedCrossEntropyFunction : public torch::autograd::Function<SummedCrossEntropyFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& head, const at::Tensor& targets,
                            int64_t chunk_bytes) {
    at::Tensor gradient = at::empty_like(hidden);
    at::Tensor sum = at::zeros({}, hidden.options().dtype(at::kFloat).requires_grad(false));
    OverChunks(hidden, head, targets, chunk_bytes,
               [&](const at::Tensor& rows, const at::Tensor& wanted, int64_t begin) {
                 at::Tensor logits = at::mm(rows, head.t());
                 sum.add_(ChunkNllAndGradient(logits, wanted).sum());
                 at::Tensor slice = gradient.narrow(0, begin, rows.size(0));
                 at::mm_out(slice, logits, head);
               });
    context->save_for_backward({gradient});
    return sum;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outer) {
    const at::Tensor gradient = context->get_saved_variables()[0];
    return {at::mul(gradient, outer[0]), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor SummedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head,
                              const at::Tensor& targets, int64_t chunk_bytes) {
  return SummedCrossEntropyFunction::apply(hidden, head, targets, chunk_bytes);
}

at::Tensor TokenNll(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& targets) {
  const at::NoGradGuard no_grad;
  at::Tensor nll = at::empty({hidden.size(0)}, hidden.options().dtype(at::kFloat));
  OverChunks(hidden, head, targets, /*chunk_bytes=*/0,
             [&](const at::Tensor& rows, const at::Tensor& wanted, int64_t begin) {
               nll.narrow(0, begin, rows.size(0)).copy_(ChunkNll(at::mm(rows, head.t()), wanted));
             });
  return nll;
}

}  // namespace mozgach

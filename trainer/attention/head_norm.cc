#include "trainer/attention/head_norm.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/kernels/kernel_types.h"
#include "trainer/kernels/norm_kernels.h"
#include "trainer/kernels/rms_norm.h"
#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Returns y and the heads' rstd.
std::pair<at::Tensor, at::Tensor> Forward(const at::Tensor& qkv, const HeadLayout& layout,
                                          const HeadNorms& norms) {
  at::Tensor y = at::empty_like(qkv);
  at::Tensor rstd =
      at::empty({qkv.size(0), layout.heads + layout.kv_heads}, qkv.options().dtype(at::kFloat));
  WithTypes(qkv, norms.q, [&]<typename T, typename W>(T, W) {
    NormalizeHeads(qkv.const_data_ptr<T>(), layout, norms.q.const_data_ptr<W>(),
                   norms.k.const_data_ptr<W>(), norms.eps, qkv.size(0), y.mutable_data_ptr<T>(),
                   rstd.mutable_data_ptr<float>());
  });
  return {y, rstd};
}

struct Plan {
  HeadLayout layout;
  HeadNorms norms;
};

class HeadNormFunction : public torch::autograd::Function<HeadNormFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv, const Plan& plan) {
    auto [y, rstd] = Forward(qkv, plan.layout, plan.norms);
    ctx->save_for_backward({qkv, rstd});
    ctx->saved_data["plan"] = SaveValue(plan);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const auto& plan = SavedValueOf<Plan>(ctx->saved_data["plan"]);
    const at::Tensor &qkv = saved[0], &rstd = saved[1], grad_y = grads[0].contiguous();
    at::Tensor grad = at::empty_like(qkv);
    WithTypes(qkv, plan.norms.q, [&]<typename T, typename W>(T, W) {
      NormalizeHeadsGrad(qkv.const_data_ptr<T>(), plan.layout, plan.norms.q.const_data_ptr<W>(),
                         plan.norms.k.const_data_ptr<W>(), rstd.const_data_ptr<float>(),
                         grad_y.const_data_ptr<T>(), qkv.size(0), grad.mutable_data_ptr<T>());
    });
    return {grad, at::Tensor()};
  }
};

// The same with tensor operations, for other devices.
at::Tensor ByTensors(const at::Tensor& qkv, const HeadLayout& layout, const HeadNorms& norms) {
  const at::Tensor heads = qkv.view({qkv.size(0), -1, layout.head_dim});
  const auto normed = [&](int64_t first, int64_t count, const at::Tensor& weight) {
    const at::Tensor rows = heads.narrow(1, first, count).reshape({-1, layout.head_dim});
    return RmsNorm(rows, weight, norms.eps).view({qkv.size(0), count, layout.head_dim});
  };
  const int64_t rotated = layout.heads + layout.kv_heads;
  return at::cat({normed(0, layout.heads, norms.q), normed(layout.heads, layout.kv_heads, norms.k),
                  heads.narrow(1, rotated, layout.kv_heads)},
                 1)
      .view(qkv.sizes());
}

}  // namespace

at::Tensor NormalizeQueriesAndKeys(const at::Tensor& qkv, const HeadLayout& layout,
                                   const HeadNorms& norms) {
  const at::Tensor rows = qkv.contiguous();
  if (!HasRowKernel(rows)) return ByTensors(rows, layout, norms);
  if (!at::GradMode::is_enabled() || !qkv.requires_grad()) {
    return Forward(rows, layout, norms).first;
  }
  return HeadNormFunction::apply(rows, Plan{layout, norms});
}

}  // namespace mozgach

#include "trainer/kernels/rms_norm.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/rsqrt.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/kernels/kernel_types.h"
#include "trainer/kernels/norm_kernels.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Returns y and the rows' rstd [tokens, 1].
std::pair<at::Tensor, at::Tensor> Forward(const at::Tensor& x, const at::Tensor& weight,
                                          double eps) {
  if (!HasRowKernel(x)) {
    const at::Tensor wide = x.to(at::kFloat);
    at::Tensor rstd = at::rsqrt(at::mean(at::mul(wide, wide), {-1}, /*keepdim=*/true).add_(eps));
    const at::Tensor normal = at::mul(wide, rstd).to(weight.scalar_type());
    return {at::mul(normal, weight).to(x.scalar_type()), rstd};
  }
  at::Tensor y = at::empty_like(x);
  at::Tensor rstd = at::empty({x.size(0), 1}, x.options().dtype(at::kFloat));
  WithTypes(x, weight, [&]<typename T, typename W>(T, W) {
    RmsNormRows(x.const_data_ptr<T>(), weight.const_data_ptr<W>(), eps, x.size(0), x.size(1),
                y.mutable_data_ptr<T>(), rstd.mutable_data_ptr<float>());
  });
  return {y, rstd};
}

at::Tensor Backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd,
                    const at::Tensor& grad_y) {
  if (!HasRowKernel(x)) {
    const at::Tensor wide = x.to(at::kFloat);
    at::Tensor direct = at::mul(grad_y.to(at::kFloat), weight.to(at::kFloat));
    const at::Tensor slope =
        at::mean(at::mul(direct, wide), {-1}, /*keepdim=*/true).mul_(rstd).mul_(rstd);
    return direct.sub_(at::mul(wide, slope)).mul_(rstd).to(x.scalar_type());
  }
  at::Tensor grad_x = at::empty_like(x);
  WithTypes(x, weight, [&]<typename T, typename W>(T, W) {
    RmsNormGradRows(x.const_data_ptr<T>(), weight.const_data_ptr<W>(), rstd.const_data_ptr<float>(),
                    grad_y.const_data_ptr<T>(), x.size(0), x.size(1), grad_x.mutable_data_ptr<T>());
  });
  return grad_x;
}

class RmsNormFunction : public torch::autograd::Function<RmsNormFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            double eps) {
    auto [y, rstd] = Forward(x, weight, eps);
    ctx->save_for_backward({x, weight, rstd});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    return {Backward(saved[0], saved[1], saved[2], grads[0].contiguous()), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor RmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor rows = x.contiguous();
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return Forward(rows, weight, eps).first;
  return RmsNormFunction::apply(rows, weight, eps);
}

at::Tensor RmsNormGradient(const at::Tensor& x, const at::Tensor& weight, double eps,
                           const at::Tensor& grad_y) {
  const at::Tensor rows = x.contiguous();
  return Backward(rows, weight, Forward(rows, weight, eps).second, grad_y.contiguous());
}

}  // namespace mozgach

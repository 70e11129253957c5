#include "trainer/models/gated_unit.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/kernels/gate_kernels.h"
#include "trainer/kernels/kernel_types.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor Act(Activation activation, const at::Tensor& x) {
  return activation == Activation::kSilu ? at::silu(x) : at::gelu(x, "tanh");
}

at::Tensor ActBackward(Activation activation, const at::Tensor& grad, const at::Tensor& x) {
  return activation == Activation::kSilu ? at::silu_backward(grad, x)
                                         : at::gelu_backward(grad, x, "tanh");
}

at::Tensor Forward(Activation activation, const at::Tensor& gate_up) {
  const int64_t size = gate_up.size(1) / 2;
  if (!HasRowKernel(gate_up)) {
    return at::mul(Act(activation, gate_up.narrow(1, 0, size)), gate_up.narrow(1, size, size));
  }
  at::Tensor y = at::empty({gate_up.size(0), size}, gate_up.options());
  WithType(gate_up, [&]<typename T>(T) {
    GatedRows(activation, gate_up.const_data_ptr<T>(), y.size(0), size, y.mutable_data_ptr<T>());
  });
  return y;
}

at::Tensor Backward(Activation activation, const at::Tensor& gate_up, const at::Tensor& grad_y) {
  const int64_t size = gate_up.size(1) / 2;
  at::Tensor grad = at::empty_like(gate_up);
  if (!HasRowKernel(gate_up)) {
    const at::Tensor gate = gate_up.narrow(1, 0, size);
    const at::Tensor grad_act = at::mul(grad_y, gate_up.narrow(1, size, size));
    grad.narrow(1, 0, size).copy_(ActBackward(activation, grad_act, gate));
    grad.narrow(1, size, size).copy_(at::mul(grad_y, Act(activation, gate)));
    return grad;
  }
  WithType(gate_up, [&]<typename T>(T) {
    GatedGradRows(activation, gate_up.const_data_ptr<T>(), grad_y.const_data_ptr<T>(),
                  gate_up.size(0), size, grad.mutable_data_ptr<T>());
  });
  return grad;
}

class GatedUnitFunction : public torch::autograd::Function<GatedUnitFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate_up,
                            Activation activation) {
    ctx->save_for_backward({gate_up});
    ctx->saved_data["activation"] = static_cast<int64_t>(activation);
    return Forward(activation, gate_up);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto activation = static_cast<Activation>(ctx->saved_data["activation"].toInt());
    return {Backward(activation, ctx->get_saved_variables()[0], grads[0].contiguous()),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor GatedUnit(Activation activation, const at::Tensor& gate_up) {
  const at::Tensor rows = gate_up.contiguous();
  if (!at::GradMode::is_enabled() || !gate_up.requires_grad()) return Forward(activation, rows);
  return GatedUnitFunction::apply(rows, activation);
}

at::Tensor GatedUnitGradient(Activation activation, const at::Tensor& gate_up,
                             const at::Tensor& grad_y) {
  return Backward(activation, gate_up.contiguous(), grad_y.contiguous());
}

}  // namespace mozgach

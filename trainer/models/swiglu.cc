#include "trainer/models/swiglu.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/row_kernels.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool HasKernel(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

at::Tensor Forward(const at::Tensor& gate_up) {
  const int64_t size = gate_up.size(1) / 2;
  if (!HasKernel(gate_up)) {
    return at::mul(at::silu(gate_up.narrow(1, 0, size)), gate_up.narrow(1, size, size));
  }
  at::Tensor y = at::empty({gate_up.size(0), size}, gate_up.options());
  if (gate_up.scalar_type() == at::kFloat) {
    SwiGluRows(gate_up.const_data_ptr<float>(), y.size(0), size, y.mutable_data_ptr<float>());
  } else {
    SwiGluRows(gate_up.const_data_ptr<c10::BFloat16>(), y.size(0), size,
               y.mutable_data_ptr<c10::BFloat16>());
  }
  return y;
}

at::Tensor Backward(const at::Tensor& gate_up, const at::Tensor& grad_y) {
  const int64_t size = gate_up.size(1) / 2;
  at::Tensor grad = at::empty_like(gate_up);
  if (!HasKernel(gate_up)) {
    const at::Tensor gate = gate_up.narrow(1, 0, size);
    grad.narrow(1, 0, size).copy_(
        at::silu_backward(at::mul(grad_y, gate_up.narrow(1, size, size)), gate));
    grad.narrow(1, size, size).copy_(at::mul(grad_y, at::silu(gate)));
    return grad;
  }
  if (gate_up.scalar_type() == at::kFloat) {
    SwiGluGradRows(gate_up.const_data_ptr<float>(), grad_y.const_data_ptr<float>(),
                   gate_up.size(0), size, grad.mutable_data_ptr<float>());
  } else {
    SwiGluGradRows(gate_up.const_data_ptr<c10::BFloat16>(), grad_y.const_data_ptr<c10::BFloat16>(),
                   gate_up.size(0), size, grad.mutable_data_ptr<c10::BFloat16>());
  }
  return grad;
}

class SwiGluFunction : public torch::autograd::Function<SwiGluFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate_up) {
    ctx->save_for_backward({gate_up});
    return Forward(gate_up);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    return {Backward(ctx->get_saved_variables()[0], grads[0].contiguous())};
  }
};

}  // namespace

at::Tensor SwiGlu(const at::Tensor& gate_up) {
  const at::Tensor rows = gate_up.contiguous();
  if (!at::GradMode::is_enabled() || !gate_up.requires_grad()) return Forward(rows);
  return SwiGluFunction::apply(rows);
}

}  // namespace mozgach

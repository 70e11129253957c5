#include "trainer/attention/flash_attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using Mask = std::optional<at::Tensor>;

Mask Optional(const at::Tensor& mask) { return mask.defined() ? Mask(mask) : std::nullopt; }

KeptAttention::Call Run(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const Mask& mask, bool causal, double scale, KeptAttention* kept) {
  if (kept != nullptr && kept->second_run()) return kept->Next();
  auto [y, log_sum_exp] = at::_scaled_dot_product_flash_attention_for_cpu(
      q, k, v, /*dropout_p=*/0.0, causal, mask, scale);
  if (kept != nullptr) kept->Keep({y.detach(), log_sum_exp});
  return {y, log_sum_exp};
}

class FlashAttentionFunction : public torch::autograd::Function<FlashAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const Mask& mask, bool causal, double scale,
                            KeptAttention* kept) {
    const auto [y, log_sum_exp] = Run(q, k, v, mask, causal, scale, kept);
    ctx->save_for_backward({q, k, v, y, log_sum_exp, mask.value_or(at::Tensor())});
    ctx->saved_data["causal"] = causal;
    ctx->saved_data["scale"] = scale;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    auto [q, k, v] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
        grads[0], saved[0], saved[1], saved[2], saved[3], saved[4], /*dropout_p=*/0.0,
        ctx->saved_data["causal"].toBool(), Optional(saved[5]),
        ctx->saved_data["scale"].toDouble());
    return {q, k, v, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor FlashAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const at::Tensor& mask, bool causal, double scale, KeptAttention* kept) {
  const bool differentiable = q.requires_grad() || k.requires_grad() || v.requires_grad();
  if (!at::GradMode::is_enabled() || !differentiable) {
    return Run(q, k, v, Optional(mask), causal, scale, kept).y;
  }
  return FlashAttentionFunction::apply(q, k, v, Optional(mask), causal, scale, kept);
}

}  // namespace mozgach

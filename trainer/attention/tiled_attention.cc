#include "trainer/attention/tiled_attention.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/attention/tiled_attention_pass.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Makes the elements of each row contiguous, as the kernels need.
at::Tensor WithDenseRows(const at::Tensor& x) { return x.stride(3) == 1 ? x : x.contiguous(); }

KeptAttention::Call Run(const TiledInputs& in, KeptAttention* kept) {
  if (kept != nullptr && kept->second_run()) return kept->Next();
  auto [y, log_sums] = AttendInTiles(in);
  if (kept != nullptr) kept->Keep({y.detach(), log_sums});
  return {y, log_sums};
}

class TiledAttentionFunction : public torch::autograd::Function<TiledAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, double scale, int64_t window,
                            KeptAttention* kept) {
    const auto [y, log_sums] = Run({q, k, v, static_cast<float>(scale), window}, kept);
    ctx->save_for_backward({q, k, v, y, log_sums});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["window"] = window;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const TiledInputs in{saved[0], saved[1], saved[2],
                         static_cast<float>(ctx->saved_data["scale"].toDouble()),
                         ctx->saved_data["window"].toInt()};
    const auto gradients = TiledBackward(in, saved[3], saved[4], WithDenseRows(grads[0]));
    return {gradients.q, gradients.k, gradients.v, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor TiledAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          double scale, int64_t window, KeptAttention* kept) {
  const at::Tensor q_rows = WithDenseRows(q), k_rows = WithDenseRows(k), v_rows = WithDenseRows(v);
  const bool differentiable = q.requires_grad() || k.requires_grad() || v.requires_grad();
  if (!at::GradMode::is_enabled() || !differentiable) {
    return Run({q_rows, k_rows, v_rows, static_cast<float>(scale), window}, kept).y;
  }
  return TiledAttentionFunction::apply(q_rows, k_rows, v_rows, scale, window, kept);
}

}  // namespace mozgach

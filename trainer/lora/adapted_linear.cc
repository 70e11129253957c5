#include "trainer/lora/adapted_linear.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "common/work_count.h"
#include "trainer/lora/low_rank.h"
#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class AdaptedLinearFunction : public torch::autograd::Function<AdaptedLinearFunction> {
 public:
  // `matrices` are A and B of the adapted parts. They are passed as a TensorList because autograd
  // finds tensors in a TensorList but not in a vector.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList matrices,
                            const LowRank& low_rank) {
    ctx->set_materialize_grads(false);
    if (!matrices.empty()) ctx->save_for_backward({x});
    ctx->saved_data["low_rank"] = SaveValue(low_rank);
    return low_rank.Forward(x);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& low_rank = SavedValueOf<LowRank>(ctx->saved_data["low_rank"]);
    const size_t matrices = 2 * low_rank.parts.size();
    // One for x, one per matrix, one for the argument that is not a tensor.
    variable_list result(matrices + 2);
    if (!grads[0].defined()) return result;
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor x = matrices == 0 ? at::Tensor() : saved[0];
    auto gradients = low_rank.Backward(x, grads[0].contiguous(), ctx->needs_input_grad(0));
    result[0] = gradients.x;
    for (size_t i = 0; i < matrices; ++i) result[i + 1] = gradients.ab[i];
    NoteWork();
    return result;
  }
};

}  // namespace

at::Tensor Apply(const AdaptedLinear& linear, const at::Tensor& x, const LoraContext& context) {
  const LowRank low_rank(linear, context);
  if (!at::GradMode::is_enabled()) return low_rank.Forward(x);
  std::vector<at::Tensor> matrices;
  for (const LowRank::Part& part : low_rank.parts) {
    matrices.push_back(part.a);
    matrices.push_back(part.b);
  }
  if (matrices.empty() && !x.requires_grad()) return low_rank.Forward(x);
  return AdaptedLinearFunction::apply(x, at::TensorList(matrices), low_rank);
}

}  // namespace mozgach

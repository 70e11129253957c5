#include "trainer/lora/remade_linear.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>
#include <vector>

#include "trainer/lora/low_rank.h"
#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Plan {
  LowRank low_rank;
  std::shared_ptr<const InputRecipe> recipe;
};

class RemadeLinearFunction : public torch::autograd::Function<RemadeLinearFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& kept, at::TensorList matrices,
                            const Plan& plan) {
    ctx->set_materialize_grads(false);
    ctx->save_for_backward({kept});
    ctx->saved_data["plan"] = SaveValue(plan);
    return plan.low_rank.Forward(plan.recipe->Make(kept));
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& [low_rank, recipe] = SavedValueOf<Plan>(ctx->saved_data["plan"]);
    const size_t matrices = 2 * low_rank.parts.size();
    // One for `kept`, one per matrix, one for the argument that is not a tensor.
    variable_list result(matrices + 2);
    if (!grads[0].defined()) return result;
    const at::Tensor kept = ctx->get_saved_variables()[0];
    const at::Tensor input = matrices == 0 ? at::Tensor() : recipe->Make(kept);
    auto gradients = low_rank.Backward(input, grads[0].contiguous(), ctx->needs_input_grad(0));
    if (gradients.x.defined()) result[0] = recipe->Gradient(kept, gradients.x);
    for (size_t i = 0; i < matrices; ++i) result[i + 1] = gradients.ab[i];
    return result;
  }
};

}  // namespace

at::Tensor ApplyRemade(const AdaptedLinear& linear, const at::Tensor& kept,
                       std::shared_ptr<const InputRecipe> recipe, const LoraContext& context) {
  if (!at::GradMode::is_enabled()) return Apply(linear, recipe->Make(kept), context);
  const LowRank low_rank(linear, context);
  std::vector<at::Tensor> matrices;
  for (const LowRank::Part& part : low_rank.parts) {
    matrices.push_back(part.a);
    matrices.push_back(part.b);
  }
  if (matrices.empty() && !kept.requires_grad()) return low_rank.Forward(recipe->Make(kept));
  return RemadeLinearFunction::apply(kept, at::TensorList(matrices),
                                     Plan{low_rank, std::move(recipe)});
}

}  // namespace mozgach

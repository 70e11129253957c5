#include "trainer/models/layer_checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Rerun {
  const DecoderLayer* layer;
  Pass pass;
  variable_list matrices;  // the adapter's leaves in this layer
};

class CheckpointFunction : public torch::autograd::Function<CheckpointFunction> {
 public:
  // The matrices are arguments so that the result requires gradients even if x does not.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList matrices,
                            const Rerun& rerun) {
    ctx->save_for_backward({x});
    ctx->saved_data["rerun"] = SaveValue(rerun);
    return rerun.layer->Forward(x, rerun.pass);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& rerun = SavedValueOf<Rerun>(ctx->saved_data["rerun"]);
    const bool wants_x = ctx->needs_input_grad(0);
    const at::Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_(wants_x);
    at::AutoGradMode with_gradients(true);
    const at::Tensor y = rerun.layer->Forward(x, rerun.pass);
    variable_list wanted = rerun.matrices;
    if (wants_x) wanted.insert(wanted.begin(), x);
    variable_list result = torch::autograd::grad({y}, wanted, {grads[0]}, /*retain_graph=*/false,
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    if (!wants_x) result.insert(result.begin(), at::Tensor());
    result.push_back(at::Tensor());
    return result;
  }
};

}  // namespace

at::Tensor Checkpointed(const DecoderLayer& layer, int64_t index, const at::Tensor& x,
                        const Pass& pass) {
  Rerun rerun{&layer, pass, {}};
  for (int i = 0; pass.lora.adapter != nullptr && i < kProjections; ++i) {
    const LoraPair* pair = pass.lora.adapter->Find(index, static_cast<Projection>(i));
    if (pair != nullptr) rerun.matrices.insert(rerun.matrices.end(), {pair->a, pair->b});
  }
  return CheckpointFunction::apply(x, at::TensorList(rerun.matrices), rerun);
}

}  // namespace mozgach

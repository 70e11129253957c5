#include "trainer/attention/head_blocks.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/lt.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/kernels/head_kernels.h"
#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool HasKernel(const at::Tensor& qkv, at::ScalarType type) {
  if (!qkv.is_cpu()) return false;
  return qkv.scalar_type() == at::kBFloat16 ? type == at::kFloat || type == at::kBFloat16
                                            : qkv.scalar_type() == at::kFloat && type == at::kFloat;
}

// Shared by forward and backward.
struct SplitPlan {
  HeadLayout layout;
  std::shared_ptr<const DocumentBlocks> blocks;
  at::Tensor cos;
  at::Tensor sin;
  at::ScalarType type;        // type of qkv
  at::ScalarType heads_type;  // type of q, k and v

  const int64_t* TokenOfSlot(const DocumentBlocks::Block& block) const {
    return blocks->token_of_slot.const_data_ptr<int64_t>() + block.first_slot;
  }
  const int64_t* Positions() const { return blocks->position_of_token.const_data_ptr<int64_t>(); }
};

template <typename T, typename H>
variable_list RunSplit(const at::Tensor& qkv, const SplitPlan& plan) {
  const HeadLayout& layout = plan.layout;
  variable_list heads;
  for (const auto& block : plan.blocks->blocks) {
    const auto make = [&](int64_t count) {
      return at::empty({block.rows(), block.length, count, layout.head_dim}, plan.heads_type);
    };
    at::Tensor q = make(layout.heads), k = make(layout.kv_heads), v = make(layout.kv_heads);
    SplitHeads(qkv.const_data_ptr<T>(), layout, plan.TokenOfSlot(block), plan.Positions(),
               block.slots(), plan.cos.const_data_ptr<float>(), plan.sin.const_data_ptr<float>(),
               q.mutable_data_ptr<H>(), k.mutable_data_ptr<H>(), v.mutable_data_ptr<H>());
    heads.insert(heads.end(), {q, k, v});
  }
  return heads;
}

template <typename T, typename H>
at::Tensor RunJoin(const variable_list& grads, const SplitPlan& plan) {
  at::Tensor grad_qkv = at::empty({plan.blocks->tokens, plan.layout.row()}, plan.type);
  for (size_t i = 0; i < plan.blocks->blocks.size(); ++i) {
    const auto& block = plan.blocks->blocks[i];
    const at::Tensor q = grads[3 * i].contiguous(), k = grads[3 * i + 1].contiguous(),
                     v = grads[3 * i + 2].contiguous();
    JoinHeadGradients(q.const_data_ptr<H>(), k.const_data_ptr<H>(), v.const_data_ptr<H>(),
                      plan.layout, plan.TokenOfSlot(block), plan.Positions(), block.slots(),
                      plan.cos.const_data_ptr<float>(), plan.sin.const_data_ptr<float>(),
                      grad_qkv.mutable_data_ptr<T>());
  }
  return grad_qkv;
}

variable_list Split(const at::Tensor& qkv, const SplitPlan& plan) {
  if (plan.type == at::kFloat) return RunSplit<float, float>(qkv, plan);
  if (plan.heads_type == at::kFloat) return RunSplit<c10::BFloat16, float>(qkv, plan);
  return RunSplit<c10::BFloat16, c10::BFloat16>(qkv, plan);
}

at::Tensor Join(const variable_list& grads, const SplitPlan& plan) {
  if (plan.type == at::kFloat) return RunJoin<float, float>(grads, plan);
  if (plan.heads_type == at::kFloat) return RunJoin<c10::BFloat16, float>(grads, plan);
  return RunJoin<c10::BFloat16, c10::BFloat16>(grads, plan);
}

class SplitFunction : public torch::autograd::Function<SplitFunction> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& qkv, const SplitPlan& plan) {
    ctx->saved_data["plan"] = SaveValue(plan);
    return Split(qkv, plan);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& plan = SavedValueOf<SplitPlan>(ctx->saved_data["plan"]);
    return {Join(grads, plan), at::Tensor()};
  }
};

// Maps slots to tokens. Its backward is a gather, while index_select's backward is a scatter.
class PickTokensFunction : public torch::autograd::Function<PickTokensFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& slots,
                            const std::shared_ptr<const DocumentBlocks>& blocks) {
    ctx->saved_data["blocks"] = SaveValue(blocks);
    return at::index_select(slots, 0, blocks->slot_of_token);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto& blocks =
        SavedValueOf<std::shared_ptr<const DocumentBlocks>>(ctx->saved_data["blocks"]);
    at::Tensor grad_slots = at::index_select(grads[0], 0, at::clamp_min(blocks->token_of_slot, 0));
    if (blocks->slots != blocks->tokens) {
      grad_slots.masked_fill_(at::lt(blocks->token_of_slot, 0).unsqueeze(1), 0);
    }
    return {grad_slots, at::Tensor()};
  }
};

// Splits with tensor operations, for other devices.
std::vector<HeadBlock> SplitByTensors(const at::Tensor& qkv, const HeadLayout& layout,
                                      const DocumentBlocks& blocks, const RotaryTable& rotary,
                                      at::ScalarType type) {
  const at::Tensor heads = qkv.view({qkv.size(0), -1, layout.head_dim}).to(type);
  const int64_t rotated = layout.heads + layout.kv_heads;
  const at::Tensor qk = RotateHeads(heads.narrow(1, 0, rotated), blocks.position_of_token, rotary);
  // Padding reads token 0. Its gradient there is zero because the results of padding are dropped.
  const at::Tensor tokens = at::clamp_min(blocks.token_of_slot, 0);
  std::vector<HeadBlock> result;
  for (const auto& block : blocks.blocks) {
    const at::Tensor rows = tokens.narrow(0, block.first_slot, block.slots());
    const auto pick = [&](const at::Tensor& source, int64_t first, int64_t count) {
      return at::index_select(source.narrow(1, first, count), 0, rows)
          .view({block.rows(), block.length, count, layout.head_dim});
    };
    result.push_back({pick(qk, 0, layout.heads), pick(qk, layout.heads, layout.kv_heads),
                      pick(heads, rotated, layout.kv_heads)});
  }
  return result;
}

}  // namespace

std::vector<HeadBlock> SplitIntoBlocks(const at::Tensor& qkv, const HeadLayout& layout,
                                       const std::shared_ptr<const DocumentBlocks>& blocks,
                                       const RotaryTable& rotary, at::ScalarType type) {
  if (!HasKernel(qkv, type)) return SplitByTensors(qkv, layout, *blocks, rotary, type);
  const SplitPlan plan{layout, blocks, rotary.cos(), rotary.sin(), qkv.scalar_type(), type};
  const bool differentiable = at::GradMode::is_enabled() && qkv.requires_grad();
  const variable_list heads = differentiable ? SplitFunction::apply(qkv, plan) : Split(qkv, plan);
  std::vector<HeadBlock> result;
  for (size_t i = 0; i < heads.size(); i += 3) {
    result.push_back({heads[i], heads[i + 1], heads[i + 2]});
  }
  return result;
}

at::Tensor JoinBlocks(const std::vector<at::Tensor>& per_block,
                      const std::shared_ptr<const DocumentBlocks>& blocks, at::ScalarType type) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& block : per_block) rows.push_back(block.reshape({-1, block.size(-1)}));
  const at::Tensor slots = rows.size() == 1 ? rows[0] : at::cat(rows);
  if (blocks->identity) return slots.to(type);
  return PickTokensFunction::apply(slots, blocks).to(type);
}

}  // namespace mozgach

#include "trainer/attention/attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_put.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

#include "trainer/attention/head_blocks.h"
#include "trainer/attention/tiled_attention.h"
#include "trainer/attention/windowed_attention.h"
#include "trainer/lora/saved_value.h"

namespace mozgach {
namespace {

// Causal attention of one block, [documents, length, heads · head_dim].
at::Tensor AttendBlock(const HeadBlock& heads, const Attention& attention, KeptAttention* kept) {
  const at::Tensor y =
      CausalAttention(heads.q.transpose(1, 2), heads.k.transpose(1, 2), heads.v.transpose(1, 2),
                      attention.scale, attention.window, kept);
  return y.transpose(1, 2).flatten(2, 3);
}

// Copies the documents' keys and values into the cache, document i to sequence i.
void Remember(const std::vector<HeadBlock>& heads, const DocumentBlocks& blocks,
              KvCache::Layer& layer) {
  for (size_t i = 0; i < heads.size(); ++i) {
    const auto& block = blocks.blocks[i];
    const at::Tensor rows = at::tensor(block.documents, at::kLong).to(layer.keys.device());
    layer.keys.narrow(1, 0, block.length).index_copy_(0, rows, heads[i].k);
    layer.values.narrow(1, 0, block.length).index_copy_(0, rows, heads[i].v);
  }
}

at::Tensor Normalized(const Attention& attention, const at::Tensor& qkv) {
  if (!attention.norms.defined()) return qkv;
  return NormalizeQueriesAndKeys(qkv, attention.layout, attention.norms);
}

at::Tensor AttendDocuments(const Attention& attention, const at::Tensor& product, const Pass& pass,
                           KeptAttention* kept) {
  const at::Tensor qkv = Normalized(attention, product);
  const auto type = AttentionType(qkv.device(), qkv.scalar_type(), attention.layout.head_dim);
  const auto heads =
      SplitIntoBlocks(qkv, attention.layout, pass.blocks, (*pass.rotary)[attention.rope], type);
  if (pass.cache != nullptr) {
    Remember(heads, *pass.blocks, pass.cache->layers[static_cast<size_t>(attention.layer)]);
  }
  std::vector<at::Tensor> results;
  for (const HeadBlock& block : heads) {
    results.push_back(AttendBlock(block, attention, kept));
  }
  return JoinBlocks(results, pass.blocks, qkv.scalar_type());
}

struct AttentionRerun {
  const Attention* attention;
  Pass pass;
  std::shared_ptr<KeptAttention> kept;
};

// AttendDocuments() that saves the results of the product and of the attention kernel. Backward
// computes norms, rotation and the order of heads again.
class RemadeAttentionFunction : public torch::autograd::Function<RemadeAttentionFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* ctx, const at::Tensor& product,
                            const AttentionRerun& rerun) {
    ctx->save_for_backward({product});
    ctx->saved_data["rerun"] = SaveValue(rerun);
    return AttendDocuments(*rerun.attention, product, rerun.pass, rerun.kept.get());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list grads) {
    const auto& rerun = SavedValueOf<AttentionRerun>(ctx->saved_data["rerun"]);
    const at::Tensor product = ctx->get_saved_variables()[0].detach().requires_grad_();
    at::AutoGradMode with_gradients(true);
    rerun.kept->BeginSecondRun();
    const at::Tensor y = AttendDocuments(*rerun.attention, product, rerun.pass, rerun.kept.get());
    return {torch::autograd::grad({y}, {product}, {grads[0]})[0], at::Tensor()};
  }
};

// Appends the tokens `rows` at `positions`.
void Append(at::Tensor& cached, const at::Tensor& rows, const at::Tensor& positions) {
  cached.view({cached.size(0) * cached.size(1), cached.size(2), cached.size(3)})
      .index_copy_(0, positions, rows);
}

// Attends with one new token per sequence. The query heads that share a key head become that head's
// queries, so keys are not repeated.
at::Tensor AttendCached(const Attention& attention, const at::Tensor& product, const Pass& pass) {
  const at::Tensor qkv = Normalized(attention, product);
  const HeadLayout& layout = attention.layout;
  const auto type = AttentionType(qkv.device(), qkv.scalar_type(), layout.head_dim);
  auto& layer = pass.cache->layers[static_cast<size_t>(attention.layer)];
  const int64_t sequences = qkv.size(0);
  const at::Tensor heads = qkv.view({sequences, -1, layout.head_dim}).to(type);
  const int64_t rotated = layout.heads + layout.kv_heads;
  const at::Tensor qk = RotateHeads(heads.narrow(1, 0, rotated), pass.cache_positions,
                                    (*pass.rotary)[attention.rope]);
  Append(layer.keys, qk.narrow(1, layout.heads, layout.kv_heads), pass.cache_rows);
  Append(layer.values, heads.narrow(1, rotated, layout.kv_heads), pass.cache_rows);
  const at::Tensor q =
      qk.narrow(1, 0, layout.heads)
          .reshape({sequences, layout.kv_heads, layout.heads / layout.kv_heads, layout.head_dim});
  const at::Tensor& mask = attention.window > 0 ? pass.cache_window_mask : pass.cache_mask;
  const int64_t seen = mask.size(-1);
  const at::Tensor y = at::scaled_dot_product_attention(
      q, layer.keys.narrow(1, 0, seen).transpose(1, 2),
      layer.values.narrow(1, 0, seen).transpose(1, 2), mask.to(type), 0.0,
      /*is_causal=*/false, attention.scale);
  return y.reshape({sequences, layout.heads * layout.head_dim}).to(qkv.scalar_type());
}

}  // namespace

at::ScalarType AttentionType(at::Device device, at::ScalarType compute_dtype, int64_t head_dim) {
  if (!device.is_cpu()) return compute_dtype;
  return compute_dtype == at::kBFloat16 && HasTiledAttention(head_dim) ? at::kBFloat16 : at::kFloat;
}

at::Tensor Attend(const Attention& attention, const at::Tensor& qkv, const Pass& pass) {
  at::Tensor y;
  if (pass.blocks == nullptr) {
    y = AttendCached(attention, qkv, pass);
  } else if (pass.RemakesCheapParts() && qkv.is_cpu()) {
    y = RemadeAttentionFunction::apply(
        qkv, AttentionRerun{&attention, pass, std::make_shared<KeptAttention>()});
  } else {
    y = AttendDocuments(attention, qkv, pass, nullptr);
  }
  return Apply(attention.output, y, pass.lora);
}

}  // namespace mozgach

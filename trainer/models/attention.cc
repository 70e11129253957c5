#include "trainer/models/attention.h"

#include <ATen/ops/index_put.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>

#include "trainer/models/head_blocks.h"
#include "trainer/models/windowed_attention.h"

namespace mozgach {
namespace {

// Causal attention of one block, [documents, length, heads · head_dim].
at::Tensor AttendBlock(const HeadBlock& heads, const Attention& attention) {
  const at::Tensor y =
      CausalAttention(heads.q.transpose(1, 2), heads.k.transpose(1, 2), heads.v.transpose(1, 2),
                      attention.scale, attention.window);
  return y.transpose(1, 2).flatten(2, 3);
}

// Puts the documents' keys and values into the cache, document i at sequence i.
void Remember(const std::vector<HeadBlock>& heads, const DocumentBlocks& blocks,
              KvCache::Layer& layer) {
  for (size_t i = 0; i < heads.size(); ++i) {
    const auto& block = blocks.blocks[i];
    const at::Tensor rows = at::tensor(block.documents, at::kLong).to(layer.keys.device());
    layer.keys.narrow(1, 0, block.length).index_copy_(0, rows, heads[i].k);
    layer.values.narrow(1, 0, block.length).index_copy_(0, rows, heads[i].v);
  }
}

at::Tensor AttendDocuments(const Attention& attention, const at::Tensor& qkv, const Pass& pass) {
  const auto type = AttentionType(qkv.device(), qkv.scalar_type());
  const auto heads = SplitIntoBlocks(qkv, attention.layout, pass.blocks,
                                     (*pass.rotary)[attention.rope], type);
  if (pass.cache != nullptr) {
    Remember(heads, *pass.blocks, pass.cache->layers[static_cast<size_t>(attention.layer)]);
  }
  std::vector<at::Tensor> results;
  for (const HeadBlock& block : heads) results.push_back(AttendBlock(block, attention));
  return JoinBlocks(results, pass.blocks, qkv.scalar_type());
}

// Appends a token to layer[i] at positions[i].
void Append(at::Tensor& cached, const at::Tensor& rows, const at::Tensor& positions) {
  cached.view({cached.size(0) * cached.size(1), cached.size(2), cached.size(3)})
      .index_copy_(0, positions, rows);
}

// One new token per sequence.  The query heads that share a key head are that head's queries: no
// keys are repeated.
at::Tensor AttendCached(const Attention& attention, const at::Tensor& qkv, const Pass& pass) {
  const HeadLayout& layout = attention.layout;
  const auto type = AttentionType(qkv.device(), qkv.scalar_type());
  auto& layer = pass.cache->layers[static_cast<size_t>(attention.layer)];
  const int64_t sequences = qkv.size(0);
  const at::Tensor heads = qkv.view({sequences, -1, layout.head_dim}).to(type);
  const int64_t rotated = layout.heads + layout.kv_heads;
  const at::Tensor qk =
      RotateHeads(heads.narrow(1, 0, rotated), pass.cache_positions,
                                    (*pass.rotary)[attention.rope]);
  Append(layer.keys, qk.narrow(1, layout.heads, layout.kv_heads), pass.cache_rows);
  Append(layer.values, heads.narrow(1, rotated, layout.kv_heads), pass.cache_rows);
  const at::Tensor q = qk.narrow(1, 0, layout.heads)
                           .reshape({sequences, layout.kv_heads, layout.heads / layout.kv_heads,
                                     layout.head_dim});
  const at::Tensor& mask = attention.window > 0 ? pass.cache_window_mask : pass.cache_mask;
  const int64_t seen = mask.size(-1);
  const at::Tensor y = at::scaled_dot_product_attention(
      q, layer.keys.narrow(1, 0, seen).transpose(1, 2),
      layer.values.narrow(1, 0, seen).transpose(1, 2), mask.to(type), 0.0,
      /*is_causal=*/false, attention.scale);
  return y.reshape({sequences, layout.heads * layout.head_dim}).to(qkv.scalar_type());
}

}  // namespace

at::ScalarType AttentionType(at::Device device, at::ScalarType compute_dtype) {
  return device.is_cpu() ? at::kFloat : compute_dtype;
}

at::Tensor Attend(const Attention& attention, const at::Tensor& x, const Pass& pass) {
  at::Tensor qkv = Apply(attention.qkv, x, pass.lora);
  if (attention.norms.defined()) {
    qkv = NormalizeQueriesAndKeys(qkv, attention.layout, attention.norms);
  }
  const at::Tensor y = pass.blocks != nullptr ? AttendDocuments(attention, qkv, pass)
                                              : AttendCached(attention, qkv, pass);
  return Apply(attention.output, y, pass.lora);
}

}  // namespace mozgach

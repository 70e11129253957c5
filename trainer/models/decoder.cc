#include "trainer/models/decoder.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "trainer/models/layer_checkpoint.h"
#include "trainer/models/rms_norm.h"

namespace mozgach {

Decoder::Decoder(Parts parts)
    : parts_(std::move(parts)),
      rotary_(parts_.config.rope_theta, parts_.config.head_dim, parts_.options.device) {}

Pass Decoder::NewPass(const LoraAdapter* adapter) const {
  Pass pass;
  pass.lora.adapter = adapter;
  pass.lora.buffer = &buffer_;
  pass.rotary = &rotary_;
  return pass;
}

at::Tensor Decoder::RunLayers(at::Tensor x, const Pass& pass, bool checkpoint) const {
  const bool wants_gradients = at::GradMode::is_enabled() && pass.lora.adapter != nullptr;
  const int64_t lowest = wants_gradients ? pass.lora.adapter->LowestLayer()
                                         : static_cast<int64_t>(parts_.layers.size());
  for (int64_t i = 0; i < static_cast<int64_t>(parts_.layers.size()); ++i) {
    const DecoderLayer& layer = *parts_.layers[static_cast<size_t>(i)];
    // Below the lowest adapted layer nothing wants a gradient.
    at::AutoGradMode mode(wants_gradients && i >= lowest);
    x = checkpoint && at::GradMode::is_enabled() ? Checkpointed(layer, i, x, pass)
                                                 : layer.Forward(x, pass);
  }
  return RmsNorm(x, parts_.final_norm, parts_.config.rms_norm_eps);
}

at::Tensor Decoder::Forward(const TokenBatch& batch, const ForwardOptions& options) const {
  Pass pass = NewPass(options.adapter);
  pass.lora.training = options.training;
  pass.lora.seed = options.seed;
  pass.lora.step = options.step;
  pass.lora.micro_batch = options.micro_batch;
  pass.blocks = std::make_shared<DocumentBlocks>(batch.document_offsets, device());
  rotary_.Reach(pass.blocks->longest);
  return RunLayers(parts_.embedding.Lookup(batch.ids), pass, options.checkpoint_layers);
}

at::Tensor Decoder::Prefill(const TokenBatch& prompts, int64_t capacity, KvCache& cache,
                            const LoraAdapter* adapter) const {
  at::NoGradGuard no_gradients;
  const auto& offsets = prompts.document_offsets;
  const auto sequences = static_cast<int64_t>(offsets.size()) - 1;
  const auto type = AttentionType(device(), parts_.options.compute_dtype);
  cache = KvCache();
  cache.capacity = capacity;
  std::vector<int64_t> last_tokens;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    cache.lengths.push_back(offsets[i + 1] - offsets[i]);
    last_tokens.push_back(offsets[i + 1] - 1);
  }
  for (size_t i = 0; i < parts_.layers.size(); ++i) {
    const auto make = [&] {
      return at::zeros({sequences, capacity, config().num_key_value_heads, config().head_dim},
                       at::TensorOptions().dtype(type).device(device()));
    };
    cache.layers.push_back({make(), make()});
  }
  Pass pass = NewPass(adapter);
  pass.blocks = std::make_shared<DocumentBlocks>(offsets, device());
  pass.cache = &cache;
  rotary_.Reach(pass.blocks->longest);
  const at::Tensor hidden = RunLayers(parts_.embedding.Lookup(prompts.ids), pass, false);
  return at::index_select(hidden, 0, at::tensor(last_tokens, at::kLong).to(device()));
}

at::Tensor Decoder::Decode(const at::Tensor& ids, KvCache& cache,
                           const LoraAdapter* adapter) const {
  at::NoGradGuard no_gradients;
  const int64_t longest = *std::max_element(cache.lengths.begin(), cache.lengths.end());
  rotary_.Reach(longest + 1);
  Pass pass = NewPass(adapter);
  pass.cache = &cache;
  const at::Tensor lengths = at::tensor(cache.lengths, at::kLong);
  const at::Tensor rows =
      at::arange(cache.sequences(), at::kLong).mul_(cache.capacity).add_(lengths);
  const at::Tensor behind =
      at::gt(at::arange(longest + 1, at::kLong).unsqueeze(0), lengths.unsqueeze(1));
  at::Tensor mask = at::zeros({cache.sequences(), longest + 1}, at::kFloat);
  mask.masked_fill_(behind, -std::numeric_limits<float>::infinity());
  pass.cache_positions = lengths.to(device());
  pass.cache_rows = rows.to(device());
  pass.cache_mask = mask.unsqueeze(1).unsqueeze(1).to(device());
  const at::Tensor hidden = RunLayers(parts_.embedding.Lookup(ids), pass, false);
  for (int64_t& length : cache.lengths) ++length;
  return hidden;
}

at::Tensor Decoder::Logits(const at::Tensor& hidden) const {
  return at::mm(hidden, parts_.head.t()).to(at::kFloat);
}

void Decoder::ReleaseBuffers() const {
  buffer_.Release();
  rotary_.Release();
}

}  // namespace mozgach

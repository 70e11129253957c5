#include "trainer/models/decoder.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/le.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "common/work_count.h"
#include "trainer/kernels/rms_norm.h"
#include "trainer/models/layer_checkpoint.h"

namespace mozgach {

namespace {

// Returns [sequences, 1, 1, longest + 1] float32: 0 at positions that the token at `lengths`
// attends to, -inf elsewhere.
at::Tensor CacheMask(const at::Tensor& lengths, int64_t longest, int64_t window) {
  const at::Tensor places = at::arange(longest + 1, at::kLong).unsqueeze(0);
  const at::Tensor here = lengths.unsqueeze(1);
  at::Tensor mask = at::zeros({lengths.size(0), longest + 1}, at::kFloat);
  mask.masked_fill_(at::gt(places, here), -std::numeric_limits<float>::infinity());
  if (window > 0) {
    mask.masked_fill_(at::le(places, at::sub(here, window)),
                      -std::numeric_limits<float>::infinity());
  }
  return mask.unsqueeze(1).unsqueeze(1);
}

}  // namespace

Decoder::Decoder(Parts parts) : parts_(std::move(parts)) {
  for (const RopeConfig& rope : parts_.config.ropes) {
    const RopeSetup setup{rope, std::nullopt, parts_.config.head_dim,
                          parts_.config.max_position_embeddings};
    rotary_.emplace_back(setup, parts_.options.device);
  }
}

void Decoder::ExtendContext(const std::optional<RopeScaling>& extension) {
  // Extends only the first rope: layers with a window keep their range.
  rotary_.front().Extend(extension);
}

int64_t Decoder::longest_text() const { return LongestText(rotary_.front().setup()); }

void Decoder::Reach(int64_t positions) const {
  for (RotaryTable& table : rotary_) table.Reach(positions);
}

at::Tensor Decoder::Embed(const at::Tensor& ids) const {
  const at::Tensor x = parts_.embedding.Lookup(ids);
  if (parts_.config.embedding_scale == 1) return x;
  // Rounds the scale to the embedding's type first, as transformers does.
  return at::mul(x, at::scalar_tensor(parts_.config.embedding_scale, x.options()));
}

Pass Decoder::NewPass(const LoraAdapter* adapter) const {
  Pass pass;
  pass.lora.adapter = adapter;
  pass.lora.buffer = &buffer_;
  pass.rotary = &rotary_;
  return pass;
}

at::Tensor Decoder::RunLayers(at::Tensor x, const Pass& pass) const {
  const bool wants_gradients = at::GradMode::is_enabled() && pass.lora.adapter != nullptr;
  const int64_t lowest = wants_gradients ? pass.lora.adapter->LowestLayer()
                                         : static_cast<int64_t>(parts_.layers.size());
  Pass above = pass;
  if (pass.recompute == Recompute::kLayers) above.recompute = Recompute::kCheap;
  for (int64_t i = 0; i < static_cast<int64_t>(parts_.layers.size()); ++i) {
    const DecoderLayer& layer = *parts_.layers[static_cast<size_t>(i)];
    // Layers below the lowest adapted layer need no gradients.
    at::AutoGradMode mode(wants_gradients && i >= lowest);
    const bool again = pass.recompute == Recompute::kLayers && at::GradMode::is_enabled() &&
                       i - lowest < pass.recomputed_layers;
    x = again ? Checkpointed(layer, i, x, pass) : layer.Forward(x, above);
    NoteWork();
  }
  return RmsNorm(x, parts_.final_norm, parts_.config.rms_norm_eps);
}

at::Tensor Decoder::Forward(const TokenBatch& batch, const ForwardOptions& options) const {
  Pass pass = NewPass(options.adapter);
  pass.recompute = options.recompute;
  pass.recomputed_layers = options.recomputed_layers;
  pass.lora.training = options.training;
  pass.lora.seed = options.seed;
  pass.lora.step = options.step;
  pass.lora.micro_batch = options.micro_batch;
  pass.blocks = std::make_shared<DocumentBlocks>(batch.document_offsets, device());
  Reach(pass.blocks->longest);
  return RunLayers(Embed(batch.ids), pass);
}

at::Tensor Decoder::Prefill(const TokenBatch& prompts, int64_t capacity, KvCache& cache,
                            const LoraAdapter* adapter) const {
  at::NoGradGuard no_gradients;
  const auto& offsets = prompts.document_offsets;
  const auto sequences = static_cast<int64_t>(offsets.size()) - 1;
  const auto type = AttentionType(device(), parts_.options.compute_dtype, config().head_dim);
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
  Reach(pass.blocks->longest);
  const at::Tensor hidden = RunLayers(Embed(prompts.ids), pass);
  return at::index_select(hidden, 0, at::tensor(last_tokens, at::kLong).to(device()));
}

at::Tensor Decoder::Decode(const at::Tensor& ids, KvCache& cache,
                           const LoraAdapter* adapter) const {
  at::NoGradGuard no_gradients;
  const int64_t longest = *std::max_element(cache.lengths.begin(), cache.lengths.end());
  Reach(longest + 1);
  Pass pass = NewPass(adapter);
  pass.cache = &cache;
  const at::Tensor lengths = at::tensor(cache.lengths, at::kLong);
  const at::Tensor rows =
      at::arange(cache.sequences(), at::kLong).mul_(cache.capacity).add_(lengths);
  pass.cache_positions = lengths.to(device());
  pass.cache_rows = rows.to(device());
  pass.cache_mask = CacheMask(lengths, longest, 0).to(device());
  const int64_t window =
      *std::max_element(parts_.config.windows.begin(), parts_.config.windows.end());
  if (window > 0) pass.cache_window_mask = CacheMask(lengths, longest, window).to(device());
  const at::Tensor hidden = RunLayers(Embed(ids), pass);
  for (int64_t& length : cache.lengths) ++length;
  return hidden;
}

at::Tensor Decoder::Logits(const at::Tensor& hidden) const {
  return at::mm(hidden, parts_.head.t()).to(at::kFloat);
}

void Decoder::ReleaseBuffers() const {
  buffer_.Release();
  for (RotaryTable& table : rotary_) table.Release();
}

}  // namespace mozgach

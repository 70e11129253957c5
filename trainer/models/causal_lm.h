// A CausalLm is a base in memory: its weights, optionally in 4 bits, and the forward pass.
//
// The base never changes after loading and is shared by all jobs; each call gets the adapter. One
// thread at a time. If memory runs out, the exceptions of libtorch and the standard library
// (c10::Error, std::bad_alloc) reach the caller. Tokens are a flat list without padding: documents
// (rows, packed or not) follow each other, and `document_offsets` says where each one begins.
// Attention stays within a document.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "planner/model_config.h"
#include "trainer/attention/kv_cache.h"
#include "trainer/attention/recompute.h"
#include "trainer/lora/lora_adapter.h"

namespace mozgach {

struct LoadOptions {
  // Keeps the linear layers (not embedding and head) in 4 bits: quantised to NF4, or as stored if
  // the base is already in 4 bits.
  bool quantize = true;
  bool double_quant = true;
  at::ScalarType compute_dtype = at::kFloat;  // type of products and activations
  at::Device device = at::kCPU;
  // Directory for digests of bases and quantised bases that later starts reuse (BaseDigest,
  // QuantizedCache); empty: nothing is kept.
  std::filesystem::path cache_dir;
};

struct TokenBatch {
  at::Tensor ids;                         // [tokens] int64, on the model's device
  std::vector<int64_t> document_offsets;  // documents + 1 entries, from 0 to tokens
};

// Options of a forward pass; the defaults are for evaluation.
struct ForwardOptions {
  const LoraAdapter* adapter = nullptr;  // null: the bare base
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;  // for Recompute::kLayers
  // Enables dropout. Masks depend on (seed, step, micro-batch, layer, projection), so a layer that
  // runs again draws the same ones.
  bool training = false;
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t micro_batch = 0;
  int64_t loss_chunk_bytes = 0;  // limit of the logits in memory at once; 0: the fastest size
};

class CausalLm {
 public:
  // Reads safetensors (single or sharded) below `base_dir`, dense or in bitsandbytes' 4 bits. Needs
  // memory for the finished base and at most one additional tensor. Embedding, head and 4-bit
  // weights stay in the files' mappings if their types allow it, so the files must not be changed
  // in place while the base is in use. DATA_LOSS for truncated files, tensors whose shape does not
  // match config.json, and NaN or infinite numbers; NOT_FOUND for a missing tensor;
  // INVALID_ARGUMENT for quantised weights that cannot be trained. All errors name the tensor.
  static absl::StatusOr<std::unique_ptr<CausalLm>> Load(const std::filesystem::path& base_dir,
                                                        const LoadOptions& options);

  virtual ~CausalLm() = default;
  virtual const ModelConfig& config() const = 0;
  virtual at::Device device() const = 0;

  // Returns the hidden states after the last norm, [tokens, hidden], in the compute type.
  // Differentiable with respect to the adapter if gradients are enabled.
  virtual at::Tensor Forward(const TokenBatch& batch, const ForwardOptions& options) const = 0;

  // Starts generation: runs the prompts (one document each, none empty) through the model and
  // stores their keys and values in `cache`, which is replaced by a cache with room for `capacity`
  // tokens per sequence. Returns the hidden state of the last token of each prompt, [sequences,
  // hidden]. Records no gradients.
  virtual at::Tensor Prefill(const TokenBatch& prompts, int64_t capacity, KvCache& cache,
                             const LoraAdapter* adapter) const = 0;

  // Runs one step of generation: ids[i] follows the tokens of sequence i in `cache`, which must
  // have room for it. `ids` is [sequences] int64. Returns hidden states, [sequences, hidden].
  // Records no gradients.
  virtual at::Tensor Decode(const at::Tensor& ids, KvCache& cache,
                            const LoraAdapter* adapter) const = 0;

  // Maps [n, hidden] to [n, vocab] in float32.
  virtual at::Tensor Logits(const at::Tensor& hidden) const = 0;

  // The head's weight [vocab, hidden] in the compute type, for the fused loss.
  virtual const at::Tensor& head() const = 0;

  // Notes about the base for the user, one sentence each. Example: the head is not tied although
  // config.json says so.
  virtual const std::vector<std::string>& notices() const = 0;

  // SHA-256 over the digests of config.json and the weight files, in name order.
  virtual const std::string& digest() const = 0;

  // Extends the context window, in addition to the scaling in the base's config.json, until the
  // next call; nullopt: the base's own window.
  virtual void ExtendContext(const std::optional<RopeScaling>& extension) = 0;

  // Number of tokens of the longest text that the base supports.
  virtual int64_t longest_text() const = 0;

  // Frees the buffers that are kept between calls (dequantised weights, rotary tables). For use
  // after a job.
  virtual void ReleaseBuffers() const = 0;
};

}  // namespace mozgach

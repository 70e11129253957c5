// A CausalLm is a base in memory: its weights, 4-bit where asked for, and the forward pass.
//
// The base never changes after loading and is shared by all jobs; the adapter comes with each call.
// One thread at a time.  Where memory runs out, the library's exceptions (c10::Error,
// std::bad_alloc) pass through.  Tokens are a flat list without padding: documents (rows, packed or
// not) lie one after another, and `document_offsets` says where each begins; attention never
// crosses them.
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
  // The linear layers in 4 bits, not embedding and head: to NF4, or as they are stored where the
  // base is in 4 bits itself.
  bool quantize = true;
  bool double_quant = true;
  at::ScalarType compute_dtype = at::kFloat;  // of products and activations
  at::Device device = at::kCPU;
  // Where digests of bases and quantised bases are kept from start to start (BaseDigest,
  // QuantizedCache); empty: nowhere.
  std::filesystem::path cache_dir;
};

struct TokenBatch {
  at::Tensor ids;                         // [tokens] int64, on the model's device
  std::vector<int64_t> document_offsets;  // documents + 1 entries, from 0 to tokens
};

// How a training forward pass is done; the default is evaluation.
struct ForwardOptions {
  const LoraAdapter* adapter = nullptr;  // null: the bare base
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;  // of Recompute::kLayers
  // Dropout masks are drawn from (seed, step, micro-batch, layer, projection): the same when a
  // layer runs again.
  bool training = false;
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t micro_batch = 0;
  int64_t loss_chunk_bytes = 0;  // of logits held at once; 0: as many as are fastest
};

class CausalLm {
 public:
  // Reads safetensors (single or sharded) below `base_dir`, dense or of bitsandbytes in 4 bits.
  // Holds the finished base and one tensor at most; embedding, head and 4-bit weights stay in the
  // files' mappings where their types allow it, so the files must not be changed in place while the
  // base is in use.  DATA_LOSS for files that are cut off, tensors whose shape does not fit
  // config.json, and NaN or infinite numbers; NOT_FOUND for a missing tensor; INVALID_ARGUMENT for
  // quantised weights that cannot be trained.  All name the tensor.
  static absl::StatusOr<std::unique_ptr<CausalLm>> Load(const std::filesystem::path& base_dir,
                                                        const LoadOptions& options);

  virtual ~CausalLm() = default;
  virtual const ModelConfig& config() const = 0;
  virtual at::Device device() const = 0;

  // Hidden states after the last norm, [tokens, hidden], in the compute type.  Differentiable with
  // respect to the adapter where gradients are on.
  virtual at::Tensor Forward(const TokenBatch& batch, const ForwardOptions& options) const = 0;

  // Starts generation: runs the prompts (one document each, none empty) through the model and puts
  // their keys and values into `cache`, which is made anew with room for `capacity` tokens per
  // sequence.  Hidden states of the last token of each prompt, [sequences, hidden].  No gradients.
  virtual at::Tensor Prefill(const TokenBatch& prompts, int64_t capacity, KvCache& cache,
                             const LoraAdapter* adapter) const = 0;

  // One step of generation: ids[i] follows what `cache` holds of sequence i.  `ids` is [sequences]
  // int64; there is room for it in the cache.  Hidden states, [sequences, hidden].  No gradients.
  virtual at::Tensor Decode(const at::Tensor& ids, KvCache& cache,
                            const LoraAdapter* adapter) const = 0;

  // [n, hidden] → [n, vocab] in float32.
  virtual at::Tensor Logits(const at::Tensor& hidden) const = 0;

  // The head's weight [vocab, hidden] in the compute type, for the fused loss.
  virtual const at::Tensor& head() const = 0;

  // What people should know about the base, one sentence each, such as a head that is not tied
  // although config.json says so.
  virtual const std::vector<std::string>& notices() const = 0;

  // SHA-256 over the digests of config.json and the weight files, in name order.
  virtual const std::string& digest() const = 0;

  // Stretches what the base can see, on top of what its config.json says, until told otherwise;
  // nothing: as the base has it.
  virtual void ExtendContext(const std::optional<RopeScaling>& extension) = 0;

  // Tokens of the longest text it can see.
  virtual int64_t longest_text() const = 0;

  // Frees the buffers that are kept between calls (dequantised weights, rotary tables): after a
  // job.
  virtual void ReleaseBuffers() const = 0;
};

}  // namespace mozgach

// A Decoder is a CausalLm made of an embedding, DecoderLayers, a norm and a head.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trainer/models/causal_lm.h"
#include "trainer/models/decoder_layer.h"
#include "trainer/models/embedding.h"

namespace mozgach {

class Decoder : public CausalLm {
 public:
  struct Parts {
    ModelConfig config;
    LoadOptions options;
    std::string digest;
    std::vector<std::string> notices;
    Embedding embedding;
    at::Tensor head;        // [vocab, hidden] in the compute type
    at::Tensor final_norm;  // [hidden], in the types of RmsNorm()'s weight
    std::vector<std::unique_ptr<DecoderLayer>> layers;
  };
  explicit Decoder(Parts parts);

  const ModelConfig& config() const override { return parts_.config; }
  at::Device device() const override { return parts_.options.device; }
  at::Tensor Forward(const TokenBatch& batch, const ForwardOptions& options) const override;
  at::Tensor Prefill(const TokenBatch& prompts, int64_t capacity, KvCache& cache,
                     const LoraAdapter* adapter) const override;
  at::Tensor Decode(const at::Tensor& ids, KvCache& cache,
                    const LoraAdapter* adapter) const override;
  at::Tensor Logits(const at::Tensor& hidden) const override;
  const at::Tensor& head() const override { return parts_.head; }
  const std::vector<std::string>& notices() const override { return parts_.notices; }
  const std::string& digest() const override { return parts_.digest; }
  void ExtendContext(const std::optional<RopeScaling>& extension) override;
  int64_t longest_text() const override;
  void ReleaseBuffers() const override;

 private:
  // Maps [n] int64 to [n, hidden].
  at::Tensor Embed(const at::Tensor& ids) const;
  void Reach(int64_t positions) const;
  Pass NewPass(const LoraAdapter* adapter) const;
  at::Tensor RunLayers(at::Tensor x, const Pass& pass) const;

  Parts parts_;
  // Caches: they affect the cost of a call but not its result.
  mutable DequantBuffer buffer_;
  mutable std::vector<RotaryTable> rotary_;  // as ModelConfig::ropes
};

}  // namespace mozgach

// A base with random weights, in the format of Hugging Face.
#pragma once

#include <ATen/ops/randn.h>

#include <map>
#include <memory>
#include <string>

#include "nlohmann/json.hpp"
#include "tests/trainer/checkpoint/temporary_directory.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/models/causal_lm.h"

namespace mozgach {

class RandomBase {
 public:
  // Applies `changes` to a Qwen2 of 3 layers with hidden size 24. Write() writes the files.
  explicit RandomBase(const nlohmann::json& changes = nlohmann::json::object()) {
    config = {{"model_type", "qwen2"},
              {"vocab_size", 50},
              {"hidden_size", 24},
              {"intermediate_size", 40},
              {"num_hidden_layers", 3},
              {"num_attention_heads", 4},
              {"num_key_value_heads", 2},
              {"rms_norm_eps", 1e-6},
              {"rope_theta", 1e4},
              {"tie_word_embeddings", true},
              {"max_position_embeddings", 64}};
    config.update(changes);
    Fill();
  }

  void Write() const {
    directory.Write("config.json", config.dump());
    std::vector<std::pair<std::string, at::Tensor>> list(tensors.begin(), tensors.end());
    (void)WriteSafetensors(directory / "model.safetensors", list, {{"format", "pt"}});
  }

  absl::StatusOr<std::unique_ptr<CausalLm>> Load(const LoadOptions& options = Float32()) const {
    Write();
    return CausalLm::Load(directory.path(), options);
  }

  static LoadOptions Float32() {
    LoadOptions options;
    options.quantize = false;
    return options;
  }

  // Draws A and B at random; zeros in B would hide errors.
  static LoraAdapter Adapter(const CausalLm& model, LoraSpec spec = {}) {
    spec.r = 3;
    LoraAdapter adapter = *LoraAdapter::Create(model.config(), spec, 1, at::kCPU);
    for (const auto& [name, tensor] : adapter.NamedTensors(model.config())) {
      tensor.detach().normal_(0, 0.2);
    }
    return adapter;
  }

  TemporaryDirectory directory;
  nlohmann::json config;
  std::map<std::string, at::Tensor> tensors;

 private:
  void Fill() {
    directory.Write("config.json", config.dump());
    const ModelConfig shape = *ModelConfig::Load(directory.path());
    const auto draw = [&](const std::string& name, const std::vector<int64_t>& size, double std) {
      tensors[name] = at::randn(size).mul_(std);
    };
    draw("model.embed_tokens.weight", {shape.vocab_size, shape.hidden_size}, 1);
    draw("model.norm.weight", {shape.hidden_size}, 1);
    if (!shape.tie_word_embeddings) {
      draw("lm_head.weight", {shape.vocab_size, shape.hidden_size}, 1);
    }
    for (int64_t layer = 0; layer < shape.num_hidden_layers; ++layer) {
      const std::string prefix = "model.layers." + std::to_string(layer) + ".";
      draw(prefix + "input_layernorm.weight", {shape.hidden_size}, 1);
      draw(prefix + "post_attention_layernorm.weight", {shape.hidden_size}, 1);
      for (int index = 0; index < kProjections; ++index) {
        const auto projection = static_cast<Projection>(index);
        const auto [out, in] = ProjectionShape(shape, projection);
        draw(prefix + ModulePath(projection) + ".weight", {out, in}, 0.2);
        if (index < 3 && shape.attention_bias) {
          draw(prefix + ModulePath(projection) + ".bias", {out}, 0.2);
        }
      }
    }
  }
};

// Documents of these lengths with random ids, different in each call.
inline TokenBatch RandomDocuments(const std::vector<int64_t>& lengths, int64_t vocabulary = 50) {
  TokenBatch batch;
  batch.document_offsets.push_back(0);
  int64_t tokens = 0;
  for (int64_t length : lengths) batch.document_offsets.push_back(tokens += length);
  batch.ids = at::randn({tokens}).mul_(1000).abs().to(at::kLong).remainder(vocabulary);
  return batch;
}

// A batch that contains only document `index` of `batch`.
inline TokenBatch OneDocument(const TokenBatch& batch, size_t index) {
  const int64_t begin = batch.document_offsets[index], end = batch.document_offsets[index + 1];
  return {batch.ids.narrow(0, begin, end - begin), {0, end - begin}};
}

}  // namespace mozgach

#include "tests/trainer/memory/filled_base.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "planner/adapter_shape.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {

void WriteFilledBase(const std::filesystem::path& dir, const nlohmann::json& config) {
  std::filesystem::create_directories(dir);
  std::ofstream(dir / "config.json") << config.dump();
  const ModelConfig shape = ModelConfig::Load(dir).value();
  const at::ScalarType type = shape.torch_dtype == "float32" ? at::kFloat : at::kBFloat16;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& size) {
    tensors.emplace_back(name, at::full(size, 0.01, at::TensorOptions().dtype(type)));
  };
  const bool gemma = shape.norms_from_one;
  add("model.embed_tokens.weight", {shape.vocab_size, shape.hidden_size});
  if (!shape.tie_word_embeddings) add("lm_head.weight", {shape.vocab_size, shape.hidden_size});
  add("model.norm.weight", {shape.hidden_size});
  for (int64_t layer = 0; layer < shape.num_hidden_layers; ++layer) {
    const std::string prefix = absl::StrCat("model.layers.", layer, ".");
    add(prefix + "input_layernorm.weight", {shape.hidden_size});
    add(prefix + "post_attention_layernorm.weight", {shape.hidden_size});
    if (gemma) {
      add(prefix + "pre_feedforward_layernorm.weight", {shape.hidden_size});
      add(prefix + "post_feedforward_layernorm.weight", {shape.hidden_size});
    }
    if (gemma || shape.head_norms) {
      add(prefix + "self_attn.q_norm.weight", {shape.head_dim});
      add(prefix + "self_attn.k_norm.weight", {shape.head_dim});
    }
    for (int i = 0; i < kProjections; ++i) {
      const auto [out, in] = ProjectionShape(shape, static_cast<Projection>(i));
      const std::string path = prefix + ModulePath(static_cast<Projection>(i));
      add(path + ".weight", {out, in});
      if (i < 3 && shape.attention_bias) add(path + ".bias", {out});
    }
  }
  ASSERT_TRUE(WriteSafetensors(dir / "model.safetensors", tensors, {{"format", "pt"}}).ok());
}

}  // namespace mozgach

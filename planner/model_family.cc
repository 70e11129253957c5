#include "planner/model_family.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/utf8.h"

namespace mozgach {
namespace {

using nlohmann::json;
using Window = ModelFamily::Window;

constexpr ModelFamily kFamilies[] = {
    {.model_type = "gemma3_text",
     .architecture = "Gemma3ForCausalLM",
     .multimodal_type = "gemma3",
     .multimodal_architecture = "Gemma3ForConditionalGeneration",
     .vocab_size = 262208,
     .hidden_size = 2304,
     .intermediate_size = 9216,
     .num_hidden_layers = 26,
     .num_attention_heads = 8,
     .num_key_value_heads = 4,
     .head_dim = 256,
     .max_position_embeddings = 131072,
     .tie_word_embeddings = true,
     .honours_attention_bias = true,
     .gemma = true,
     .head_norms = true,
     .output_norms = true,
     .window = Window::kByLayerType},
    {.model_type = "llama",
     .architecture = "LlamaForCausalLM",
     .max_position_embeddings = 2048,
     .honours_attention_bias = true,
     .honours_mlp_bias = true},
    {.model_type = "mistral",
     .architecture = "MistralForCausalLM",
     .num_key_value_heads = 8,
     .max_position_embeddings = 131072,
     .window = Window::kAlways},
    {.model_type = "qwen2",
     .architecture = "Qwen2ForCausalLM",
     .num_key_value_heads = 32,
     .max_position_embeddings = 32768,
     .qkv_bias = true,
     .window = Window::kByFlag},
    {.model_type = "qwen3",
     .architecture = "Qwen3ForCausalLM",
     .num_key_value_heads = 32,
     .head_dim = 128,
     .max_position_embeddings = 32768,
     .honours_attention_bias = true,
     .head_norms = true,
     .window = Window::kByFlag},
};

// The number of tokens that a layer with a window sees; 0 without a window.
int64_t WindowSize(const ModelFamily& family, ConfigReader& reader) {
  constexpr int64_t kDefault = 4096;
  if (family.window == Window::kNever) return 0;
  if (family.window == Window::kByFlag && !reader.Flag("use_sliding_window", false)) return 0;
  if (reader.Find("sliding_window") != nullptr) return reader.Size("sliding_window");
  return reader.Contains("sliding_window") ? 0 : kDefault;
}

// The layers with a window according to `layer_types`; nullopt without that key.
std::optional<std::vector<bool>> LayersByType(const ModelFamily& family, ConfigReader& reader,
                                              int64_t layers) {
  const json* types = reader.Find("layer_types");
  // transformers reads a Mistral with layer types as a Ministral, whose window is by layer.
  if (types == nullptr || family.window == Window::kNever) return std::nullopt;
  if (!types->is_array() || static_cast<int64_t>(types->size()) != layers) {
    reader.Fail("layer_types",
                absl::StrCat("must be a list with one entry for each of the ", layers, " layers"));
    return std::nullopt;
  }
  std::vector<bool> sliding;
  for (const json& type : *types) {
    if (type != "full_attention" && type != "sliding_attention") {
      reader.Fail("layer_types", absl::StrCat("holds ", Abbreviate(type.dump(), 80),
                                              ", which is not supported yet "
                                              "(full_attention and sliding_attention are)"));
    }
    sliding.push_back(type == "sliding_attention");
  }
  return sliding;
}

std::vector<bool> LayersByRule(const ModelFamily& family, ConfigReader& reader, int64_t layers) {
  std::vector<bool> sliding(static_cast<size_t>(layers), family.window == Window::kAlways);
  if (family.window == Window::kByLayerType) {
    const int64_t pattern = reader.Size("sliding_window_pattern", 6);
    for (size_t i = 0; i < sliding.size(); ++i) {
      sliding[i] = (static_cast<int64_t>(i) + 1) % pattern != 0;
    }
  } else if (family.window == Window::kByFlag) {
    int64_t first = 28;
    if (const json* below = reader.Find("max_window_layers"); below != nullptr && *below == 0) {
      first = 0;
    } else {
      first = reader.Size("max_window_layers", 28);
    }
    for (size_t i = 0; i < sliding.size(); ++i) sliding[i] = static_cast<int64_t>(i) >= first;
  }
  return sliding;
}

}  // namespace

absl::StatusOr<const ModelFamily*> FindModelFamily(const std::string& model_type) {
  std::vector<std::string> known;
  for (const ModelFamily& family : kFamilies) {
    if (!model_type.empty() &&
        (family.model_type == model_type || family.multimodal_type == model_type)) {
      return &family;
    }
    known.push_back(family.model_type);
    if (*family.multimodal_type != '\0') known.push_back(family.multimodal_type);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("model_type '", model_type,
                   "' is not supported yet; these families are: ", absl::StrJoin(known, ", ")));
}

void ReadLayerWindows(const ModelFamily& family, ConfigReader& reader, ModelConfig* config) {
  const int64_t layers = config->num_hidden_layers;
  const int64_t size = WindowSize(family, reader);
  auto by_type = LayersByType(family, reader, layers);
  const std::vector<bool> sliding =
      by_type ? std::move(*by_type) : LayersByRule(family, reader, layers);
  for (const bool layer : sliding) {
    config->windows.push_back(layer ? size : 0);
    config->rope_of_layer.push_back(layer && config->ropes.size() > 1 ? 1 : 0);
  }
}

}  // namespace mozgach

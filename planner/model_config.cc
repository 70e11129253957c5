#include "planner/model_config.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/quantization_format.h"
#include "common/files.h"
#include "common/json_text.h"
#include "planner/model_family.h"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr uint64_t kConfigLimitBytes = uint64_t{16} << 20;

// A size that the class fills in where the key is absent; null counts as `otherwise`.
int64_t SizeOrDefault(ConfigReader& reader, const char* key, int64_t of_class, int64_t otherwise) {
  if (reader.Find(key) != nullptr) return reader.Size(key);
  return reader.Contains(key) || of_class == 0 ? otherwise : of_class;
}

void ReadHeads(const ModelFamily& family, ConfigReader& reader, ModelConfig* config) {
  config->num_key_value_heads = SizeOrDefault(
      reader, "num_key_value_heads", family.num_key_value_heads, config->num_attention_heads);
  const bool has_head_dim = reader.Find("head_dim") != nullptr || family.head_dim != 0;
  if (!has_head_dim && config->hidden_size % config->num_attention_heads != 0) {
    return reader.Fail("hidden_size",
                       "must be a multiple of num_attention_heads where head_dim is absent");
  }
  const int64_t even_share =
      std::max<int64_t>(1, config->hidden_size / config->num_attention_heads);
  config->head_dim = SizeOrDefault(reader, "head_dim", family.head_dim, even_share);
  if (!reader.status().ok()) return;
  if (config->num_attention_heads % config->num_key_value_heads != 0) {
    reader.Fail("num_attention_heads", absl::StrCat("(", config->num_attention_heads,
                                                    ") must be a multiple of num_key_value_heads (",
                                                    config->num_key_value_heads, ")"));
  }
  if (config->head_dim % 2 != 0) {
    reader.Fail("head_dim", absl::StrCat("(or hidden_size / num_attention_heads) must be even for "
                                         "rotary embeddings, not ",
                                         config->head_dim));
  }
}

void ReadShape(const ModelFamily& family, ConfigReader& reader, ModelConfig* config) {
  config->vocab_size = reader.Size("vocab_size", family.vocab_size);
  config->hidden_size = reader.Size("hidden_size", family.hidden_size);
  config->intermediate_size = reader.Size("intermediate_size", family.intermediate_size);
  config->num_hidden_layers = reader.Size("num_hidden_layers", family.num_hidden_layers);
  config->num_attention_heads = reader.Size("num_attention_heads", family.num_attention_heads);
  config->max_position_embeddings =
      reader.Size("max_position_embeddings", family.max_position_embeddings);
  if (config->num_hidden_layers > kMostLayers) {
    reader.Fail("num_hidden_layers", absl::StrCat("must be at most ", kMostLayers));
  }
  if (reader.status().ok()) ReadHeads(family, reader, config);
}

void ReadBiases(const ModelFamily& family, ConfigReader& reader, ModelConfig* config) {
  const bool biased = family.honours_attention_bias && reader.Flag("attention_bias", false);
  config->attention_bias = family.qkv_bias || biased;
  config->attention_output_bias = biased;
  config->mlp_bias = family.honours_mlp_bias && reader.Flag("mlp_bias", false);
}

void ReadActivation(const ModelFamily& family, ConfigReader& reader, ModelConfig* config) {
  const char* key = family.gemma ? "hidden_activation" : "hidden_act";
  const std::string name = reader.Text(key, family.gemma ? "gelu_pytorch_tanh" : "silu");
  if (name == "silu" || name == "swish") {
    config->activation = Activation::kSilu;
  } else if (name == "gelu_pytorch_tanh") {
    config->activation = Activation::kGeluTanh;
  } else {
    reader.Fail(key,
                absl::StrCat("asks for '", name,
                             "', which is not supported yet (silu and gelu_pytorch_tanh are)"));
  }
}

void ReadGemma(ConfigReader& reader, ModelConfig* config) {
  config->attention_scale = 1.0 / std::sqrt(reader.Positive("query_pre_attn_scalar", 256));
  config->embedding_scale = std::sqrt(static_cast<double>(config->hidden_size));
  config->norms_from_one = true;
  for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping"}) {
    if (reader.Find(key) != nullptr) reader.Fail(key, "is set, which is not supported yet");
  }
  if (reader.Flag("use_bidirectional_attention", false)) {
    reader.Fail("use_bidirectional_attention", "is set: this model does not generate text");
  }
}

// transformers reads the outer key alone: what text_config says does not count, and null in a
// multimodal configuration means false.
bool ReadTie(const ModelFamily& family, ConfigReader& outer, bool multimodal) {
  constexpr char kKey[] = "tie_word_embeddings";
  if (multimodal && outer.Contains(kKey) && outer.Find(kKey) == nullptr) return false;
  return outer.Flag(kKey, family.tie_word_embeddings);
}

// `whole` is the file, `text` the part of it about the text model; often the same.
absl::StatusOr<ModelConfig> FromJson(const ModelFamily& family, const json& whole,
                                     const json& text) {
  ConfigReader reader(text);
  ConfigReader outer(whole);
  ModelConfig config;
  config.model_type = family.model_type;
  config.architecture = &whole == &text ? family.architecture : family.multimodal_architecture;
  config.name_or_path = outer.Text("_name_or_path", "");
  ReadShape(family, reader, &config);
  config.rms_norm_eps = reader.Positive("rms_norm_eps", 1e-6);
  config.tie_word_embeddings = ReadTie(family, outer, &whole != &text);
  const std::string type = reader.Text("dtype", reader.Text("torch_dtype", "float32"));
  config.torch_dtype = outer.Text("dtype", outer.Text("torch_dtype", type));
  RETURN_IF_ERROR(reader.status());
  RETURN_IF_ERROR(outer.status());
  config.attention_scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
  ReadBiases(family, reader, &config);
  ReadActivation(family, reader, &config);
  config.head_norms = family.head_norms;
  config.output_norms = family.output_norms;
  if (family.gemma) {
    ReadGemma(reader, &config);
    config.ropes = ReadGlobalAndLocalRope(reader);
  } else {
    config.ropes = {ReadRope(reader, 10000.0)};
  }
  ReadLayerWindows(family, reader, &config);
  RETURN_IF_ERROR(reader.status());
  return config;
}

}  // namespace

std::string ModelConfig::LayersPath() const {
  return architecture == "Gemma3ForConditionalGeneration" ? "model.language_model.layers"
                                                          : "model.layers";
}

absl::StatusOr<ModelConfig> ModelConfig::Parse(std::string_view text) {
  ASSIGN_OR_RETURN(const json document, ParseJson(text));
  if (!document.is_object()) return absl::InvalidArgumentError("is not a JSON object");
  RETURN_IF_ERROR(CheckQuantizationConfig(document));
  ConfigReader reader(document);
  const std::string model_type = reader.Text("model_type", "");
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(const ModelFamily* family, FindModelFamily(model_type));
  if (model_type != family->multimodal_type) return FromJson(*family, document, document);
  const json* text_config = reader.Find("text_config");
  if (text_config == nullptr || !text_config->is_object()) {
    return absl::InvalidArgumentError("key 'text_config' must be an object");
  }
  return FromJson(*family, document, *text_config);
}

absl::StatusOr<ModelConfig> ModelConfig::Load(const std::filesystem::path& base_dir) {
  const auto path = base_dir / "config.json";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kConfigLimitBytes));
  auto config = Parse(text);
  if (!config.ok()) return Annotate(config.status(), path.string());
  if (config->name_or_path.empty()) config->name_or_path = base_dir.filename().string();
  return config;
}

}  // namespace mozgach

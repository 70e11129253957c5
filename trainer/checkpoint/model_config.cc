#include "trainer/checkpoint/model_config.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/files.h"
#include "nlohmann/json.hpp"

namespace mozgach {
namespace {

using nlohmann::json;

constexpr uint64_t kConfigLimitBytes = uint64_t{16} << 20;
constexpr int64_t kLargestSize = int64_t{1} << 24;

// What the Hugging Face configuration class of a family fills in.
struct Family {
  const char* model_type;
  const char* architecture;
  int64_t max_position_embeddings;
  bool qkv_bias;             // always there
  bool honours_bias_keys;    // attention_bias and mlp_bias
  bool window_without_flag;  // sliding_window counts without use_sliding_window
};

constexpr Family kFamilies[] = {
    {"qwen2", "Qwen2ForCausalLM", 32768, true, false, false},
    {"llama", "LlamaForCausalLM", 2048, false, true, false},
    {"mistral", "MistralForCausalLM", 131072, false, false, true},
};

absl::StatusOr<Family> FindFamily(const std::string& model_type) {
  std::vector<std::string> known;
  for (const Family& family : kFamilies) {
    if (family.model_type == model_type) return family;
    known.push_back(family.model_type);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("model_type '", model_type, "' is not supported yet; these families are: ",
                   absl::StrJoin(known, ", ")));
}

// Reads keys of one JSON object; null counts as absent, as in Hugging Face's classes.  Remembers
// the first thing that is wrong.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  const json* Find(const char* key) const {
    auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  int64_t Size(const char* key, int64_t fallback = 0) {
    const json* value = Find(key);
    if (value == nullptr) {
      if (fallback == 0) Fail(key, "is missing");
      return fallback;
    }
    if (!value->is_number_integer() || *value < 1 || *value > kLargestSize) {
      Fail(key, absl::StrCat("must be a whole number from 1 to ", kLargestSize, ", not ",
                             value->dump()));
      return 1;
    }
    return value->get<int64_t>();
  }

  double Positive(const char* key, double fallback) {
    const json* value = Find(key);
    if (value == nullptr) return fallback;
    if (!value->is_number() || !(value->get<double>() > 0) ||
        !std::isfinite(value->get<double>())) {
      Fail(key, absl::StrCat("must be a number above 0, not ", value->dump()));
      return fallback;
    }
    return value->get<double>();
  }

  bool Flag(const char* key, bool fallback) {
    const json* value = Find(key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) Fail(key, absl::StrCat("must be true or false, not ", value->dump()));
    return value->is_boolean() && value->get<bool>();
  }

  std::string Text(const char* key, const std::string& fallback) {
    const json* value = Find(key);
    if (value == nullptr) return fallback;
    if (!value->is_string()) Fail(key, absl::StrCat("must be text, not ", value->dump()));
    return value->is_string() ? value->get<std::string>() : fallback;
  }

  void Fail(const char* key, const std::string& what) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat("key '", key, "' ", what));
    }
  }

  const absl::Status& status() const { return status_; }

 private:
  const json& object_;
  absl::Status status_;
};

void RefuseScaling(const json& scaling, const char* key, Reader* reader) {
  if (!scaling.is_object()) return reader->Fail(key, "must be an object");
  for (const char* name : {"rope_type", "type"}) {
    auto type = scaling.find(name);
    if (type == scaling.end() || type->is_null()) continue;
    if (!type->is_string() || *type != "default") {
      return reader->Fail(key, absl::StrCat("asks for rope scaling ", type->dump(),
                                            ", which is not supported yet"));
    }
  }
  auto partial = scaling.find("partial_rotary_factor");
  if (partial != scaling.end() && *partial != 1.0) {
    reader->Fail(key, "asks for partial rotary embeddings, which are not supported yet");
  }
}

void ReadRope(Reader* reader, ModelConfig* config) {
  config->rope_theta = reader->Positive("rope_theta", 10000.0);
  if (const json* scaling = reader->Find("rope_scaling")) {
    RefuseScaling(*scaling, "rope_scaling", reader);
  }
  const json* parameters = reader->Find("rope_parameters");
  if (parameters == nullptr) return;
  RefuseScaling(*parameters, "rope_parameters", reader);
  if (!parameters->is_object()) return;
  Reader rope(*parameters);
  config->rope_theta = rope.Positive("rope_theta", config->rope_theta);
  if (!rope.status().ok()) reader->Fail("rope_parameters", std::string(rope.status().message()));
}

void RefuseWindow(const Family& family, Reader* reader, const ModelConfig& config) {
  constexpr char kRefusal[] = "is active, and sliding window attention is not supported yet";
  if (const json* types = reader->Find("layer_types")) {
    if (!types->is_array()) return reader->Fail("layer_types", "must be a list");
    for (const json& type : *types) {
      if (type != "full_attention") {
        return reader->Fail("layer_types",
                            absl::StrCat("holds ", type.dump(), ", which is not supported yet"));
      }
    }
    if (!family.window_without_flag) return;
  }
  if (reader->Find("sliding_window") == nullptr) return;
  if (family.window_without_flag) return reader->Fail("sliding_window", kRefusal);
  if (!reader->Flag("use_sliding_window", false)) return;
  // Layers below max_window_layers attend in full.
  if (reader->Size("max_window_layers", 28) < config.num_hidden_layers) {
    reader->Fail("sliding_window", kRefusal);
  }
}

void RefuseWhatIsNotThereYet(const Family& family, Reader* reader, const ModelConfig& config) {
  RefuseWindow(family, reader, config);
  const std::string activation = reader->Text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish") {
    reader->Fail("hidden_act", absl::StrCat("asks for '", activation,
                                            "', which is not supported yet (silu is)"));
  }
}

void ReadShape(const Family& family, Reader* reader, ModelConfig* config) {
  config->vocab_size = reader->Size("vocab_size");
  config->hidden_size = reader->Size("hidden_size");
  config->intermediate_size = reader->Size("intermediate_size");
  config->num_hidden_layers = reader->Size("num_hidden_layers");
  config->num_attention_heads = reader->Size("num_attention_heads");
  if (!reader->status().ok()) return;
  config->num_key_value_heads = reader->Size("num_key_value_heads", config->num_attention_heads);
  config->max_position_embeddings =
      reader->Size("max_position_embeddings", family.max_position_embeddings);
  if (reader->Find("head_dim") == nullptr &&
      config->hidden_size % config->num_attention_heads != 0) {
    reader->Fail("hidden_size",
                 "must be a multiple of num_attention_heads where head_dim is absent");
    return;
  }
  const int64_t even_share = config->hidden_size / config->num_attention_heads;
  config->head_dim = reader->Size("head_dim", std::max<int64_t>(1, even_share));
  if (config->num_attention_heads % config->num_key_value_heads != 0) {
    reader->Fail("num_attention_heads", "must be a multiple of num_key_value_heads");
  }
  if (config->head_dim % 2 != 0) {
    reader->Fail("head_dim", absl::StrCat("(or hidden_size / num_attention_heads) must be even for "
                                          "rotary embeddings, not ", config->head_dim));
  }
}

absl::StatusOr<ModelConfig> FromJson(const json& document) {
  if (!document.is_object()) return absl::InvalidArgumentError("is no JSON object");
  Reader reader(document);
  ModelConfig config;
  config.model_type = reader.Text("model_type", "");
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(const Family family, FindFamily(config.model_type));
  config.architecture = family.architecture;
  config.name_or_path = reader.Text("_name_or_path", "");
  ReadShape(family, &reader, &config);
  config.rms_norm_eps = reader.Positive("rms_norm_eps", 1e-6);
  config.tie_word_embeddings = reader.Flag("tie_word_embeddings", false);
  const bool biased = family.honours_bias_keys && reader.Flag("attention_bias", false);
  config.attention_bias = family.qkv_bias || biased;
  config.attention_output_bias = biased;
  config.mlp_bias = family.honours_bias_keys && reader.Flag("mlp_bias", false);
  config.torch_dtype = reader.Text("dtype", reader.Text("torch_dtype", "float32"));
  ReadRope(&reader, &config);
  RefuseWhatIsNotThereYet(family, &reader, config);
  RETURN_IF_ERROR(reader.status());
  return config;
}

}  // namespace

absl::StatusOr<ModelConfig> ModelConfig::Load(const std::filesystem::path& base_dir) {
  const auto path = base_dir / "config.json";
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kConfigLimitBytes));
  auto config = FromJson(json::parse(text, nullptr, /*allow_exceptions=*/false));
  if (!config.ok()) return Annotate(config.status(), path.string());
  if (config->name_or_path.empty()) config->name_or_path = base_dir.filename().string();
  return config;
}

}  // namespace mozgach

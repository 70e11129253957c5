#include "trainer/adapter/peft_directory.h"

#include <string>
#include <vector>

#include "common/files.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/adapter/model_card.h"
#include "trainer/checkpoint/safetensors.h"

namespace mozgach {
namespace {

using Json = nlohmann::json;

// The version of PEFT whose file format is written.
constexpr char kPeftVersion[] = "0.18.0";

// Returns the modules, with "all-linear" expanded: readers other than PEFT do not know it.
std::vector<std::string> TargetModules(const LoraSpec& lora) {
  if (lora.target_modules != std::vector<std::string>{"all-linear"}) return lora.target_modules;
  return {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
}

// PEFT writes whole numbers without a decimal point.
Json Number(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

}  // namespace

Json PeftConfig(const DomainSpec& spec, const ModelConfig& base) {
  const LoraSpec& lora = spec.lora;
  Json config = {{"alpha_pattern", Json::object()},
                 {"auto_mapping", nullptr},
                 {"base_model_name_or_path", spec.base},
                 {"bias", lora.bias},
                 {"exclude_modules", nullptr},
                 {"fan_in_fan_out", false},
                 {"inference_mode", true},
                 {"init_lora_weights", true},
                 {"layer_replication", nullptr},
                 {"layers_pattern", nullptr},
                 {"layers_to_transform", nullptr},
                 {"loftq_config", Json::object()},
                 {"lora_alpha", Number(lora.Alpha())},
                 {"lora_bias", false},
                 {"lora_dropout", lora.lora_dropout},
                 {"megatron_config", nullptr},
                 {"megatron_core", "megatron.core"},
                 {"modules_to_save", nullptr},
                 {"peft_type", "LORA"},
                 {"peft_version", kPeftVersion},
                 {"r", lora.r},
                 {"rank_pattern", Json::object()},
                 {"revision", nullptr},
                 {"target_modules", TargetModules(lora)},
                 {"target_parameters", nullptr},
                 {"task_type", "CAUSAL_LM"},
                 {"trainable_token_indices", nullptr},
                 {"use_dora", false},
                 {"use_rslora", lora.use_rslora}};
  if (lora.layers_to_transform) config["layers_to_transform"] = *lora.layers_to_transform;
  if (!spec.revision.empty()) config["revision"] = spec.revision;
  // The vision tower has modules with the same names; PEFT would add unused matrices to them.
  if (base.architecture == "Gemma3ForConditionalGeneration") {
    config["exclude_modules"] = ".*(vision_tower|multi_modal_projector).*";
  }
  return config;
}

absl::Status WritePeftDirectory(const std::filesystem::path& dir, const DomainSpec& spec,
                                const ModelConfig& config, const LoraAdapter& adapter,
                                const Json& metrics, const AdapterFacts& facts) {
  RETURN_IF_ERROR(MakeDirectories(dir));
  const auto tensors = adapter.NamedTensors(config);
  RETURN_IF_ERROR(
      DURABLE("trainer.adapter.write_tensors",
              WriteSafetensors(dir / "adapter_model.safetensors", tensors, {{"format", "pt"}})));
  RETURN_IF_ERROR(DURABLE("trainer.adapter.write_card",
                          WriteFileAtomically(dir / "README.md", ModelCard(spec, metrics, facts))));
  RETURN_IF_ERROR(DURABLE("trainer.adapter.write_metrics",
                          WriteFileAtomically(dir / "metrics.json", metrics.dump(2) + "\n")));
  return DURABLE(
      "trainer.adapter.write_config",
      WriteFileAtomically(dir / "adapter_config.json", PeftConfig(spec, config).dump(2) + "\n"));
}

}  // namespace mozgach

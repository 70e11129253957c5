#include "trainer/quant/quantize_checkpoint.h"

#include <map>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/base_format.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/log_line.h"
#include "failpoint/failpoint.h"
#include "nlohmann/json.hpp"
#include "trainer/checkpoint/base_links.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/safetensors_stream.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/checkpoint/word_tables.h"
#include "trainer/quant/checkpoint_plan.h"
#include "trainer/quant/checkpoint_staging.h"
#include "trainer/quant/four_bit_checkpoint.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr uint64_t kConfigLimitBytes = uint64_t{16} << 20;

absl::StatusOr<ordered_json> ReadConfig(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kConfigLimitBytes));
  absl::StatusOr<ordered_json> parsed = ParseOrderedJson(text);
  if (!parsed.ok()) return Annotate(parsed.status(), path.string());
  ordered_json& config = *parsed;
  if (!config.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": not a JSON object"));
  }
  if (config.contains("quantization_config") && !config["quantization_config"].is_null()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path.string(), ": this base is already quantised; use the base it was made from"));
  }
  return config;
}

// The compute type that the base's own configuration requests.
std::string ComputeType(const ordered_json& config) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    const auto found = config.find(key);
    if (found == config.end() || !found->is_string()) continue;
    const auto name = found->get<std::string>();
    if (name == "bfloat16" || name == "float16") return name;
  }
  return "float32";
}

// The keys of transformers' BitsAndBytesConfig.
ordered_json QuantizationConfig(const ordered_json& config, const CheckpointPlan& plan,
                                bool double_quant) {
  ordered_json skipped = nullptr;
  if (!plan.kept_modules.empty()) {
    skipped = plan.kept_modules;
    skipped.insert(skipped.begin(), "lm_head");
  }
  return {{"_load_in_4bit", true},
          {"_load_in_8bit", false},
          {"bnb_4bit_compute_dtype", ComputeType(config)},
          {"bnb_4bit_quant_storage", "uint8"},
          {"bnb_4bit_quant_type", "nf4"},
          {"bnb_4bit_use_double_quant", double_quant},
          {"llm_int8_enable_fp32_cpu_offload", false},
          {"llm_int8_has_fp16_weight", false},
          {"llm_int8_skip_modules", skipped},
          {"llm_int8_threshold", 6.0},
          {"load_in_4bit", true},
          {"load_in_8bit", false},
          {"quant_method", "bitsandbytes"}};
}

std::string JsonText(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

// Writes one checkpoint below `staging_`.
class Quantization {
 public:
  Quantization(const WeightFiles& files, const CheckpointPlan& plan, const QuantizeOptions& options,
               fs::path staging)
      : files_(files), plan_(plan), options_(options), staging_(std::move(staging)) {}

  absl::StatusOr<QuantizeReport> Run() {
    for (size_t i = 0; i < plan_.shards.size(); ++i) {
      const std::string name =
          plan_.shards.size() == 1
              ? "model.safetensors"
              : absl::StrFormat("model-%05d-of-%05d.safetensors", i + 1, plan_.shards.size());
      RETURN_IF_ERROR(WriteShard(plan_.shards[i], name));
    }
    if (plan_.shards.size() > 1) {
      const ordered_json index = {{"metadata", {{"total_size", report_.bytes}}},
                                  {"weight_map", places_}};
      RETURN_IF_ERROR(
          DURABLE("trainer.quantized_base.write_index",
                  WriteFileAtomically(staging_ / "model.safetensors.index.json", JsonText(index))));
    }
    return report_;
  }

 private:
  absl::Status WriteShard(const CheckpointPlan::Shard& shard, const std::string& file) {
    int64_t tensors = 0, name_bytes = 0;
    for (const PlannedTensor& tensor : shard) {
      tensors += 6;
      name_bytes += 6 * (static_cast<int64_t>(tensor.name.size()) + 40);
    }
    ASSIGN_OR_RETURN(SafetensorsStream stream,
                     SafetensorsStream::Create(staging_ / file, HeaderRoom(tensors, name_bytes)));
    for (const PlannedTensor& tensor : shard) {
      absl::Status status = tensor.quantize ? AddQuantized(tensor.name, file, stream)
                                            : AddCopy(tensor.name, file, stream);
      if (!status.ok()) return status;
      files_.Release(tensor.name);
    }
    report_.bytes += stream.tensor_bytes();
    return DURABLE("trainer.quantized_base.write_shard", stream.Finish({{"format", "pt"}}));
  }

  absl::Status AddQuantized(const std::string& name, const std::string& file,
                            SafetensorsStream& stream) {
    ASSIGN_OR_RETURN(const at::Tensor stored, files_.Read(name));
    const auto quantized = QuantizeNf4(stored, options_.double_quant);
    if (!quantized.ok()) {
      return Annotate(quantized.status(),
                      absl::StrCat(files_.PathOf(name).string(), ": tensor '", name, "'"));
    }
    for (const auto& [part, tensor] : FourBitTensors(name, *quantized)) {
      RETURN_IF_ERROR(stream.Add(part, tensor));
      places_[part] = file;
    }
    ++report_.quantized;
    return absl::OkStatus();
  }

  absl::Status AddCopy(const std::string& name, const std::string& file,
                       SafetensorsStream& stream) {
    ASSIGN_OR_RETURN(const at::Tensor stored, files_.Read(name));
    if (at::isFloatingType(stored.scalar_type()) && !AllFinite(stored)) {
      return absl::DataLossError(absl::StrCat(files_.PathOf(name).string(), ": tensor '", name,
                                              "' holds NaN or infinite numbers; fetch the base "
                                              "again"));
    }
    const absl::Status added = stream.Add(name, stored);
    if (!added.ok()) {
      return Annotate(added,
                      absl::StrCat("copy tensor '", name, "' of ", files_.PathOf(name).string()));
    }
    places_[name] = file;
    ++report_.copied;
    return absl::OkStatus();
  }

  const WeightFiles& files_;
  const CheckpointPlan& plan_;
  const QuantizeOptions& options_;
  const fs::path staging_;
  QuantizeReport report_;
  std::map<std::string, std::string> places_;
};

// True for the files of tokenizer, templates and generation settings: everything except weights of
// any format.
bool IsCopied(const fs::path& path) {
  static const std::set<std::string> kCopied = {".json", ".jinja", ".model", ".txt"};
  const std::string name = path.filename().string();
  return kCopied.count(path.extension().string()) != 0 && name != "config.json" &&
         !absl::EndsWith(name, ".index.json");
}

absl::Status CopyOthers(const fs::path& base, const fs::path& staging) {
  std::error_code error;
  for (fs::directory_iterator it(base, error), end; !error && it != end; it.increment(error)) {
    if (!IsCopied(it->path()) || !it->is_regular_file(error)) continue;
    const fs::path copy = staging / it->path().filename();
    if (!fs::copy_file(it->path(), copy, error)) break;
    fs::permissions(copy, fs::perms::owner_write, fs::perm_options::add, error);
    RETURN_IF_ERROR(DURABLE("trainer.quantized_base.copy_file", SyncFile(copy)));
  }
  if (error) return SystemError(error.value(), absl::StrCat("copy the files of ", base.string()));
  return absl::OkStatus();
}

// Checks that every tensor that the index names is stored. Only a head that is tied to the
// embedding may be missing.
absl::Status CheckWhole(const WeightFiles& files) {
  for (const auto& [name, shard] : files.absent()) {
    if (!name.ends_with("lm_head.weight")) return files.Read(name).status();
  }
  return absl::OkStatus();
}

absl::StatusOr<QuantizeReport> Make(const fs::path& base, const fs::path& place,
                                    const QuantizeOptions& options) {
  RETURN_IF_ERROR(CheckBaseLinks(base, {}));
  RETURN_IF_ERROR(CheckBaseFormat(base));
  ASSIGN_OR_RETURN(ordered_json config, ReadConfig(base / "config.json"));
  ASSIGN_OR_RETURN(const WeightFiles files, WeightFiles::OpenAsStored(base));
  RETURN_IF_ERROR(CheckWhole(files));
  if (HasFourBit(files)) {
    return absl::InvalidArgumentError(
        absl::StrCat(base.string(), ": this base is already in 4 bits"));
  }
  const auto plan = CheckpointPlan::Make(files, options.double_quant, options.shard_bytes);
  if (!plan.ok()) return Annotate(plan.status(), base.string());
  config["quantization_config"] = QuantizationConfig(config, *plan, options.double_quant);
  ASSIGN_OR_RETURN(const WeightFiles plain, WeightFiles::Open(base));
  if (HeadDiffers(plain, at::kFloat)) config["tie_word_embeddings"] = false;
  ASSIGN_OR_RETURN(CheckpointStaging staging, CheckpointStaging::Claim(place));
  const auto report = [&]() -> absl::StatusOr<QuantizeReport> {
    ASSIGN_OR_RETURN(const QuantizeReport made,
                     Quantization(files, *plan, options, staging.folder()).Run());
    RETURN_IF_ERROR(
        DURABLE("trainer.quantized_base.write_config",
                WriteFileAtomically(staging.folder() / "config.json", JsonText(config))));
    RETURN_IF_ERROR(CopyOthers(base, staging.folder()));
    RETURN_IF_ERROR(staging.MoveTo(place));
    return made;
  }();
  if (report.ok()) return report;
  const absl::Status removed = staging.Remove();
  if (!removed.ok()) LogInfo(std::string(removed.message()));
  return report;
}

}  // namespace

absl::StatusOr<QuantizeReport> QuantizeCheckpoint(const fs::path& base, const fs::path& output,
                                                  const QuantizeOptions& options) {
  ASSIGN_OR_RETURN(const fs::path place, CheckpointPlace(output));
  return Make(base, place, options);
}

}  // namespace mozgach

#include "common/base/base_format.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/base_files.h"
#include "common/base/quantization_format.h"
#include "common/files.h"
#include "common/json_text.h"
#include "common/utf8.h"

namespace mozgach {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr char kAdapterConfig[] = "adapter_config.json";
constexpr uint64_t kConfigBytesMax = UINT64_C(16) << 20;
constexpr uint64_t kHeaderBytesMax = UINT64_C(32) << 20;
constexpr size_t kNamesMax = 10'000;

std::vector<std::string> FileNames(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) names.push_back(it->path().filename().string());
    if (names.size() == kNamesMax) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::binary_search(names.begin(), names.end(), name);
}

json ReadJson(const fs::path& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kConfigBytesMax);
  return text.ok() ? ParseJson(*text).value_or(json()) : json();
}

absl::Status Bad(const fs::path& directory, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(directory.string(), ": ", what));
}

absl::Status IsAdapter(const fs::path& directory) {
  const json config = ReadJson(directory / kAdapterConfig);
  std::string base;
  if (config.is_object() && config.contains("base_model_name_or_path") &&
      config["base_model_name_or_path"].is_string()) {
    base = Abbreviate(config["base_model_name_or_path"].get<std::string>(), 200);
  }
  return Bad(directory,
             absl::StrCat("this is an adapter (it has ", kAdapterConfig, "), not a base; ",
                          base.empty() ? "use the base it was trained on"
                                       : absl::StrCat("use its base '", base, "'"),
                          ", or merge the two with PEFT's merge_and_unload() and "
                          "save_pretrained()"));
}

// PyTorch's own files, other than those that a trainer leaves beside a model.
bool IsTorchWeights(const std::string& name) {
  for (const char* other : {"training_args", "optimizer", "scheduler", "rng_state"}) {
    if (name.starts_with(other)) return false;
  }
  return name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth") ||
         name.ends_with(".ckpt");
}

bool IsWeights(const std::string& name) {
  return name.ends_with(".safetensors") && !name.starts_with("consolidated");
}

template <typename Predicate>
std::string FirstOf(const std::vector<std::string>& names, Predicate predicate) {
  const auto found = std::find_if(names.begin(), names.end(), predicate);
  return found == names.end() ? "" : *found;
}

std::string FirstThatEnds(const std::vector<std::string>& names, const std::string& end) {
  return FirstOf(names, [&](const std::string& name) { return name.ends_with(end); });
}

// The names and types of the tensors in a safetensors file; none where it cannot be read: the
// trainer says why.
TensorTypes ReadTensorTypes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  unsigned char length_bytes[8] = {};
  file.read(reinterpret_cast<char*>(length_bytes), sizeof(length_bytes));
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | length_bytes[i];
  if (!file || length > kHeaderBytesMax) return {};
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  if (error || length > size - sizeof(length_bytes)) return {};
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  const json header = file ? ParseJson(text).value_or(json()) : json();
  TensorTypes tensors;
  if (!header.is_object()) return tensors;
  for (const auto& [name, entry] : header.items()) {
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) continue;
    tensors.emplace_back(name, entry["dtype"].get<std::string>());
  }
  return tensors;
}

bool IsGitLfsPointer(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(40, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return start.starts_with("version https://git-lfs");
}

absl::Status CheckWeights(const fs::path& path) {
  if (IsGitLfsPointer(path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(),
                     ": this is a Git LFS pointer, not the weights; run `git lfs "
                     "pull` in the directory, or download the base with `hf download`"));
  }
  return Annotate(CheckTensorFormat(ReadTensorTypes(path)), path.string());
}

std::string ConvertWithTransformers() {
  return "convert them with transformers: AutoModelForCausalLM.from_pretrained(DIR)"
         ".save_pretrained(OUTPUT), and copy the tokenizer's files to OUTPUT";
}

// The directory has neither model.safetensors nor its index: says what it has instead.
absl::Status CheckOtherWeights(const fs::path& directory, const std::vector<std::string>& names) {
  const std::string shard = FirstOf(names, [](const std::string& name) {
    return name.starts_with("model-") && absl::StrContains(name, "-of-") && IsWeights(name);
  });
  if (!shard.empty()) {
    return Bad(directory, absl::StrCat("it has ", shard, ", but ", kBaseIndex,
                                       ", which names the shards, is missing; fetch that file"));
  }
  if (const std::string other = FirstOf(names, IsWeights); !other.empty()) {
    RETURN_IF_ERROR(CheckWeights(directory / other));
    return Bad(directory,
               absl::StrCat("it has ", other, ", but neither ", kBaseWeights, " nor ", kBaseIndex,
                            ", which are read; fetch those files, or "
                            "rename it if it holds the whole model"));
  }
  const std::string merged =
      FirstOf(names, [](const std::string& name) { return name.starts_with("consolidated"); });
  if (!merged.empty() || Has(names, "params.json")) {
    return Bad(directory, absl::StrCat("its weights are in the format of the model's authors (",
                                       merged.empty() ? "params.json" : merged,
                                       "), not in that of transformers; fetch ", kBaseWeights,
                                       " or ", kBaseIndex,
                                       " and its shards from the same repository, or its "
                                       "transformers version (often named '-hf')"));
  }
  if (const std::string torch = FirstOf(names, IsTorchWeights); !torch.empty()) {
    return Bad(directory,
               absl::StrCat("its weights are only there as ", torch,
                            " (PyTorch's pickle format), and only safetensors are read; ",
                            ConvertWithTransformers()));
  }
  if (const std::string gguf = FirstThatEnds(names, ".gguf"); !gguf.empty()) {
    return Bad(directory, absl::StrCat("its weights are only there as ", gguf,
                                       " (GGUF, for llama.cpp), which cannot be trained; use the "
                                       "original checkpoint in safetensors that it was made from"));
  }
  for (const char* end : {".h5", ".msgpack", ".npz", ".onnx"}) {
    if (const std::string name = FirstThatEnds(names, end); !name.empty()) {
      return Bad(directory, absl::StrCat("its weights are only there as ", name,
                                         ", and only safetensors are read; use a checkpoint in "
                                         "safetensors, or ",
                                         ConvertWithTransformers()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBaseFormat(const fs::path& directory) {
  const std::vector<std::string> names = FileNames(directory);
  const bool single = Has(names, kBaseWeights), indexed = Has(names, kBaseIndex);
  if (Has(names, kAdapterConfig) && !single && !indexed) return IsAdapter(directory);
  if (Has(names, kBaseConfig)) {
    RETURN_IF_ERROR(Annotate(CheckQuantizationConfig(ReadJson(directory / kBaseConfig)),
                             (directory / kBaseConfig).string()));
  }
  if (single) return CheckWeights(directory / kBaseWeights);
  if (!indexed) return CheckOtherWeights(directory, names);
  const std::string shard = FirstOf(names, IsWeights);
  return shard.empty() ? absl::OkStatus() : CheckWeights(directory / shard);
}

}  // namespace mozgach

#include "registry/adapter_bytes.h"

#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/files.h"
#include "common/json_text.h"
#include "nlohmann/json.hpp"
#include "registry/adapter_config.h"
#include "registry/adapter_tensors.h"
#include "registry/tensor_header.h"

namespace mozgach {
namespace {

namespace fs = std::filesystem;

// Some 100,000 tensors; the adapter of a large model has a few thousand.
constexpr uint64_t kHeaderBytesMax = 16 << 20;  // sum over all files
constexpr uint64_t kConfigBytesMax = 1 << 20;   // sum over all files
constexpr int64_t kConfigValuesMax = 100'000;

std::string ShownBase(const std::string& text) { return absl::CHexEscape(text.substr(0, 200)); }

bool HasName(std::string_view path, std::string_view name) {
  return path == name || path.ends_with(absl::StrCat("/", std::string(name)));
}

absl::Status CheckGguf(const fs::path& file) {
  char magic[4];
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::UnavailableError("it cannot be read");
  if (in.read(magic, sizeof(magic)) && std::string_view(magic, sizeof(magic)) == "GGUF") {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("it is not a GGUF file");
}

absl::Status CheckBase(const std::string& named, const std::string& base) {
  if (named == base) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("it is an adapter of the base '", ShownBase(named),
                                                 "', and the job trains on '", base, "'"));
}

// mlx-lm's, which reads what it needs and no more.
absl::Status CheckOtherConfig(const std::string& text, const std::string& base) {
  RETURN_IF_ERROR(CheckJsonShape(text, kConfigValuesMax));
  ASSIGN_OR_RETURN(const nlohmann::json config, ParseJson(text));
  if (!config.is_object()) return absl::InvalidArgumentError("it is not a JSON object");
  for (const char* key : {"model", "base_model_name_or_path"}) {
    const auto named = config.find(key);
    if (named == config.end() || named->is_null()) continue;
    if (!named->is_string()) return absl::InvalidArgumentError("it names a base that is not text");
    RETURN_IF_ERROR(CheckBase(named->get<std::string>(), base));
  }
  return absl::OkStatus();
}

class FilesCheck {
 public:
  explicit FilesCheck(const std::string& base) : base_(base) {}

  absl::Status Add(const std::string& name, const fs::path& file) {
    if (name.ends_with(".gguf")) return CheckGguf(file);
    if (name.ends_with(".safetensors")) return AddTensors(name, file);
    if (!HasName(name, kAdapterConfigName)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string text, ReadConfig(file));
    if (name != kAdapterConfigName) return CheckOtherConfig(text, base_);
    ASSIGN_OR_RETURN(config_.emplace(), ReadAdapterConfig(text));
    return CheckBase(config_->base, base_);
  }

  absl::Status Finish() const {
    if (!config_.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the result has no ", kAdapterConfigName, ": no reader could load it"));
    }
    if (!weights_.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the result has no weights: ", kAdapterWeightsName, " is missing"));
    }
    return Annotate(CheckAdapterTensors(*config_, *weights_), kAdapterWeightsName);
  }

 private:
  absl::Status AddTensors(const std::string& name, const fs::path& file) {
    absl::StatusOr<TensorHeader> header = ReadTensorHeader(file, header_bytes_left_);
    if (absl::IsInvalidArgument(header.status())) {
      return Annotate(header.status(), "it is not a safetensors file of an adapter");
    }
    RETURN_IF_ERROR(header.status());
    header_bytes_left_ -= header->header_bytes;
    if (name == kAdapterWeightsName) weights_ = std::move(header->tensors);
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> ReadConfig(const fs::path& file) {
    absl::StatusOr<std::string> text = ReadFile(file, config_bytes_left_);
    if (absl::IsResourceExhausted(text.status())) {
      return absl::InvalidArgumentError("it has more than 1 MiB");
    }
    if (!text.ok()) return absl::UnavailableError("it cannot be read");
    config_bytes_left_ -= text->size();
    return text;
  }

  const std::string& base_;
  uint64_t header_bytes_left_ = kHeaderBytesMax;
  uint64_t config_bytes_left_ = kConfigBytesMax;
  std::optional<AdapterConfig> config_;
  std::optional<std::vector<TensorInfo>> weights_;
};

}  // namespace

absl::Status CheckAdapterFiles(
    const std::vector<VersionFile>& files, const std::string& base,
    const std::function<absl::StatusOr<fs::path>(const VersionFile&)>& path_of) {
  FilesCheck check(base);
  for (const VersionFile& file : files) {
    ASSIGN_OR_RETURN(const fs::path path, path_of(file));
    if (absl::Status status = check.Add(file.path, path); !status.ok()) {
      return Annotate(status, file.path);
    }
  }
  return check.Finish();
}

}  // namespace mozgach

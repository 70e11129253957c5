#include "registry/adapter_tensors.h"

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace mozgach {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";

std::string InQuotes(std::string_view name) {
  return absl::StrCat("'", absl::CHexEscape(std::string(name.substr(0, 200))), "'");
}

absl::Status RefusedTensor(std::string_view tensor, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("its tensor ", InQuotes(tensor), " ", std::string(what)));
}

// The two matrices of one module.
struct Pair {
  uint64_t rank_a = 0, rank_b = 0;  // 0: there is none
  bool magnitude = false;
};

// `path` and its ends after each point, from the longest on.
template <typename Visit>
void ForEachEnd(std::string_view path, Visit visit) {
  for (size_t at = 0;; ++at) {
    visit(std::string(path.substr(at)));
    at = path.find('.', at);
    if (at == path.npos) return;
  }
}

class TensorCheck {
 public:
  explicit TensorCheck(const AdapterConfig& config) : config_(config) {}

  absl::Status Add(const TensorInfo& tensor) {
    std::string_view path = tensor.name;
    if (path.substr(0, kPrefix.size()) != kPrefix) {
      return RefusedTensor(tensor.name,
                           "does not begin with base_model.model., as PEFT names tensors");
    }
    path.remove_prefix(kPrefix.size());
    const size_t dimensions = tensor.shape.size();
    if (const auto module = Before(path, {".lora_A.weight", ".lora_embedding_A"})) {
      if (dimensions != 2) return RefusedTensor(tensor.name, "is not a matrix");
      pairs_[std::string(*module)].rank_a = tensor.shape[0];
    } else if (const auto module = Before(path, {".lora_B.weight", ".lora_embedding_B"})) {
      if (dimensions != 2) return RefusedTensor(tensor.name, "is not a matrix");
      pairs_[std::string(*module)].rank_b = tensor.shape[1];
    } else if (const auto module = Before(path, {".lora_magnitude_vector"});
               module && config_.dora) {
      pairs_[std::string(*module)].magnitude = true;
    } else if (!IsExplainedOtherwise(path)) {
      return RefusedTensor(tensor.name, "is not explained by adapter_config.json");
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (pairs_.empty()) return absl::InvalidArgumentError("it has no LoRA matrices");
    for (const auto& [module, pair] : pairs_) RETURN_IF_ERROR(CheckPair(module, pair));
    for (const std::string& target : config_.target_modules) {
      if (adapted_.count(target) > 0) continue;
      return absl::InvalidArgumentError(absl::StrCat("it has no tensors for ", InQuotes(target),
                                                     ", a target module of adapter_config.json"));
    }
    return absl::OkStatus();
  }

 private:
  static std::optional<std::string_view> Before(std::string_view path,
                                                std::initializer_list<std::string_view> endings) {
    for (const std::string_view ending : endings) {
      if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
    }
    return std::nullopt;
  }

  bool IsExplainedOtherwise(std::string_view path) const {
    if (config_.lora_bias && path.ends_with(".lora_B.bias")) return true;
    if (config_.trains_bias && path.ends_with(".bias")) return true;
    if (config_.trains_tokens && path.ends_with(".trainable_tokens_delta")) return true;
    for (const absl::string_view part :
         absl::StrSplit(absl::string_view(path.data(), path.size()), '.')) {
      if (config_.modules_to_save.count(std::string(part)) > 0) return true;
    }
    return false;
  }

  absl::Status CheckPair(const std::string& module, const Pair& pair) {
    const auto wrong = [&](std::string_view what) {
      return absl::InvalidArgumentError(
          absl::StrCat("its module ", InQuotes(module), " ", std::string(what)));
    };
    if (pair.rank_a == 0) return wrong("has no lora_A");
    if (pair.rank_b == 0) return wrong("has a lora_A without a lora_B");
    if (pair.rank_a != pair.rank_b || !MayHaveRank(module, pair.rank_a)) {
      return wrong(absl::StrCat("has a lora_A of rank ", pair.rank_a, " and a lora_B of rank ",
                                pair.rank_b, ", not those of adapter_config.json"));
    }
    if (config_.dora && !pair.magnitude) return wrong("has no lora_magnitude_vector");
    if (!IsTarget(module)) return wrong("is not among the target modules of adapter_config.json");
    if (!IsInLayers(module)) return wrong("is in a layer that adapter_config.json leaves out");
    return absl::OkStatus();
  }

  bool MayHaveRank(const std::string& module, uint64_t rank) const {
    if (config_.other_ranks.count(rank) > 0) return true;
    bool named = false, fits = false;
    ForEachEnd(module, [&](const std::string& end) {
      const auto found = config_.rank_pattern.find(end);
      if (found == config_.rank_pattern.end()) return;
      named = true;
      fits = fits || found->second == rank;
    });
    return named ? fits : rank == config_.rank;
  }

  bool IsTarget(const std::string& module) {
    if (config_.target_modules.empty()) return true;
    bool is_target = false;
    ForEachEnd(module, [&](const std::string& end) {
      if (config_.target_modules.count(end) == 0) return;
      adapted_.insert(end);
      is_target = true;
    });
    return is_target;
  }

  // The first number in its path is the layer's.
  bool IsInLayers(const std::string& module) const {
    if (config_.layers.empty()) return true;
    for (const absl::string_view part : absl::StrSplit(module, '.')) {
      uint64_t layer = 0;
      if (absl::SimpleAtoi(part, &layer)) return config_.layers.count(layer) > 0;
    }
    return true;
  }

  const AdapterConfig& config_;
  std::map<std::string, Pair> pairs_;  // by module
  std::set<std::string> adapted_;      // target modules that have tensors
};

}  // namespace

absl::Status CheckAdapterTensors(const AdapterConfig& config,
                                 const std::vector<TensorInfo>& tensors) {
  TensorCheck check(config);
  for (const TensorInfo& tensor : tensors) RETURN_IF_ERROR(check.Add(tensor));
  return check.Finish();
}

}  // namespace mozgach

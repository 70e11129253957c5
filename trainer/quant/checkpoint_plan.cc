#include "trainer/quant/checkpoint_plan.h"

#include <algorithm>
#include <regex>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "trainer/quant/nf4.h"

namespace mozgach {
namespace {

constexpr int64_t kMapsAndState = 2048;  // bytes in addition to codes and scales

int64_t FourBitBytes(int64_t elements, bool double_quant) {
  const int64_t blocks = elements / kNf4Block + 1;
  return elements / 2 + (double_quant ? blocks + blocks / 64 : 4 * blocks) + kMapsAndState;
}

// The module of a matrix that is not quantised; "" if the tensor is something else. A decoder's
// module has its full name; others are named by the part of the model that contains them.
std::string KeptModule(const std::string& name, const StoredTensor& stored) {
  if (stored.shape.size() != 2 || !absl::EndsWith(name, ".weight")) return "";
  if (absl::StrContains(name, "embed_tokens.") || absl::StrContains(name, "lm_head.")) return "";
  const std::string module(absl::StripSuffix(name, ".weight"));
  if (absl::StrContains(name, ".layers.") && !absl::StrContains(name, "vision")) return module;
  const std::string inner(absl::StripPrefix(module, "model."));
  return inner.substr(0, inner.find('.'));
}

void AddKept(const std::string& module, std::set<std::string>* modules) {
  if (module.empty()) return;
  modules->insert(module);
  // transformers 5 matches from the start of a module's name; earlier versions match anywhere in
  // it.
  if (!absl::StartsWith(module, "model.")) modules->insert("model." + module);
}

void SortForWriting(CheckpointPlan::Shard* shard) {
  std::stable_sort(shard->begin(), shard->end(), [](const auto& a, const auto& b) {
    if (a.quantize != b.quantize) return a.quantize;
    return !a.quantize && a.element_size > b.element_size;
  });
}

}  // namespace

bool IsDecoderLinear(const std::string& name) {
  static const std::regex kLinear(
      "(model\\.)?(language_model\\.)?(model\\.)?layers\\.[0-9]+\\."
      "(self_attn\\.[qkvo]_proj|mlp\\.(gate|up|down)_proj)\\.weight");
  return name.size() < 256 && std::regex_match(name, kLinear);
}

absl::StatusOr<CheckpointPlan> CheckpointPlan::Make(const WeightFiles& files, bool double_quant,
                                                    int64_t shard_bytes) {
  CheckpointPlan plan;
  std::set<std::string> kept;
  bool any = false;
  int64_t filled = 0;
  for (const auto& file : files.files()) {
    for (const auto& [name, stored] : files.InFileOrder(*file)) {
      PlannedTensor tensor{name, stored->shape.size() == 2 && IsDecoderLinear(name)};
      tensor.element_size = static_cast<int64_t>(c10::elementSize(stored->dtype));
      tensor.bytes = tensor.quantize ? FourBitBytes(stored->elements(), double_quant)
                                     : static_cast<int64_t>(stored->bytes.size());
      any = any || tensor.quantize;
      if (tensor.quantize && files.Contains(name + ".absmax")) {
        return absl::InvalidArgumentError(
            absl::StrCat("holds '", name, "' and '", name,
                         ".absmax', the name for its scales; use a base without that tensor"));
      }
      if (!tensor.quantize) AddKept(KeptModule(name, *stored), &kept);
      if (plan.shards.empty() || filled + tensor.bytes > shard_bytes) {
        plan.shards.emplace_back();
        filled = 0;
      }
      filled += tensor.bytes;
      plan.shards.back().push_back(std::move(tensor));
    }
  }
  if (!any) {
    return absl::InvalidArgumentError(
        "none of its tensors is the weight of a decoder's linear layer "
        "(model.layers.0.self_attn.q_proj.weight, …): there is nothing to quantise");
  }
  for (Shard& shard : plan.shards) SortForWriting(&shard);
  plan.kept_modules.assign(kept.begin(), kept.end());
  return plan;
}

}  // namespace mozgach

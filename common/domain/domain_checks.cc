#include "common/domain/domain_checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

Place PlaceOf(const SpecValue& root, const char* section, const char* key) {
  const SpecValue* map = root.Find(section);
  const SpecValue* value = map == nullptr ? nullptr : map->Find(key);
  return value == nullptr ? root.place : value->place;
}

template <typename T>
bool HasDuplicates(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) != values.end();
}

template <typename T>
void CheckDistinct(const std::vector<T>& values, const SpecValue& root, const char* section,
                   const char* key, Problems* problems) {
  if (HasDuplicates(values)) {
    problems->Add(PlaceOf(root, section, key),
                  absl::StrCat(section, ".", key, " names the same entry twice"));
  }
}

void CheckRopeScaling(const RopeScalingSpec& rope, const SpecValue& root, Problems* problems) {
  const bool asked = !rope.rope_type.empty();
  if (asked && !rope.factor) {
    problems->Add(PlaceOf(root, "rope_scaling", "rope_type"),
                  "rope_scaling.factor is missing: by how much the context is stretched");
  }
  if (!asked && rope.factor) {
    problems->Add(PlaceOf(root, "rope_scaling", "factor"),
                  "rope_scaling.rope_type is missing: linear, dynamic, yarn or llama3");
  }
  if (rope.high_freq_factor <= rope.low_freq_factor) {
    problems->Add(PlaceOf(root, "rope_scaling", "high_freq_factor"),
                  "rope_scaling.high_freq_factor must be above low_freq_factor");
  }
}

void CheckGate(const DomainSpec& spec, const SpecValue& root, Problems* problems) {
  const double* share = std::get_if<double>(&spec.data.validation);
  if (spec.gate.require.empty() || share == nullptr || *share > 0) return;
  problems->Add(PlaceOf(root, "gate", "require"),
                absl::StrCat("gate.require: ", spec.gate.require,
                             " needs validation rows, but data.validation is 0: set it to a file "
                             "or a fraction like 0.1, or leave out the gate"));
}

}  // namespace

void CheckDomain(const DomainSpec& spec, const SpecValue& root, Problems* problems) {
  CheckDistinct(spec.data.train, root, "data", "train", problems);
  CheckDistinct(spec.lora.target_modules, root, "lora", "target_modules", problems);
  CheckDistinct(spec.evaluation.metrics, root, "evaluation", "metrics", problems);
  CheckRopeScaling(spec.rope_scaling, root, problems);
  CheckGate(spec, root, problems);
  const std::vector<std::string>& modules = spec.lora.target_modules;
  if (modules.empty()) {
    problems->Add(PlaceOf(root, "lora", "target_modules"),
                  "lora.target_modules is an empty list: name a layer, or all-linear");
  }
  if (modules.size() > 1 && std::count(modules.begin(), modules.end(), "all-linear") > 0) {
    problems->Add(PlaceOf(root, "lora", "target_modules"),
                  "lora.target_modules: all-linear stands alone, it means all seven layers");
  }
  if (!spec.lora.layers_to_transform) return;
  CheckDistinct(*spec.lora.layers_to_transform, root, "lora", "layers_to_transform", problems);
  if (spec.lora.layers_to_transform->empty()) {
    problems->Add(PlaceOf(root, "lora", "layers_to_transform"),
                  "lora.layers_to_transform is an empty list: leave it out for all layers");
  }
}

}  // namespace mozgach

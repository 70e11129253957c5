// The linear layers of a base that a job adapts, and the size of the adapter. Pure functions, which
// the trainer also uses to make its tensors.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "planner/model_config.h"

namespace mozgach {

// The linear layers of a decoder block, in the order of the model's code.
enum class Projection { kQ, kK, kV, kO, kGate, kUp, kDown };
inline constexpr int kProjections = 7;

// "self_attn.q_proj", "mlp.down_proj", …: the module's path below its layer.
const char* ModulePath(Projection projection);
// [out, in] of the projection in this model.
std::pair<int64_t, int64_t> ProjectionShape(const ModelConfig& config, Projection projection);

// Each projection of `targets` in each layer of `layers` has A [rank, in] and B [out, rank].
struct AdapterShape {
  std::set<Projection> targets;
  std::set<int64_t> layers;
  int64_t rank = 0;

  bool Adapts(int64_t layer, Projection projection) const {
    return layers.contains(layer) && targets.contains(projection);
  }
  // Numbers in the A and B of one projection; of one layer; of all.
  int64_t Parameters(const ModelConfig& config, Projection projection) const;
  int64_t ParametersPerLayer(const ModelConfig& config) const;
  int64_t Parameters(const ModelConfig& config) const;
};

// INVALID_ARGUMENT for target modules or layers this model does not have (with those it has), and
// for what this version cannot do.
absl::StatusOr<AdapterShape> ShapeOfAdapter(const ModelConfig& config, const LoraSpec& lora);

}  // namespace mozgach

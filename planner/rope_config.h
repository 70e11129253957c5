// How a base turns positions into angles, as its config.json says: a theta and, where its context
// was stretched, by which technique.  Plain values.
//
// Reads both spellings: rope_theta with rope_scaling, and the rope_parameters that transformers
// writes since version 5.
#pragma once

#include <cstdint>
#include <optional>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "planner/config_reader.h"

namespace mozgach {

struct RopeScaling {
  enum class Type {
    kLinear,   // position interpolation (Chen et al., 2023)
    kDynamic,  // NTK-aware, by the length at hand
    kYarn,     // Peng et al., 2023
    kLlama3,
  };
  Type type = Type::kLinear;
  double factor = 1;
  // Positions before the stretching (YaRN, llama3); absent: max_position_embeddings.
  std::optional<int64_t> original_max_position_embeddings;
  // YaRN.
  double beta_fast = 32;
  double beta_slow = 1;
  bool truncate = true;
  std::optional<double> attention_factor;
  std::optional<double> mscale;
  std::optional<double> mscale_all_dim;
  // llama3.
  double low_freq_factor = 1;
  double high_freq_factor = 4;
};

struct RopeConfig {
  double theta = 10000.0;
  std::optional<RopeScaling> scaling;
};

// The object of `rope_scaling` or `rope_parameters`; nothing for type "default".  INVALID_ARGUMENT
// names the key, for a type we do not have with those we have.
absl::StatusOr<std::optional<RopeScaling>> ReadRopeScaling(const nlohmann::json& object);

// The rope of a config.json with one for all layers.
RopeConfig ReadRope(ConfigReader& reader, double default_theta);

// Gemma 3's two: [0] that of layers that see everything, [1] that of those with a window.
std::vector<RopeConfig> ReadGlobalAndLocalRope(ConfigReader& reader);

// What a domain file asks for; nothing where it asks for none.
std::optional<RopeScaling> RopeScalingOf(const RopeScalingSpec& spec);

}  // namespace mozgach

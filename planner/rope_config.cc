#include "planner/rope_config.h"

#include <map>

#include "absl/strings/str_cat.h"

namespace mozgach {
namespace {

using nlohmann::json;

const std::map<std::string, RopeScaling::Type>& Types() {
  static const std::map<std::string, RopeScaling::Type> kTypes = {
      {"linear", RopeScaling::Type::kLinear},
      {"dynamic", RopeScaling::Type::kDynamic},
      {"yarn", RopeScaling::Type::kYarn},
      {"llama3", RopeScaling::Type::kLlama3}};
  return kTypes;
}

bool IsZero(const json& value) {
  return value == false || (value.is_number() && value.get<double>() == 0);
}

std::optional<double> OptionalPositive(ConfigReader& reader, const char* key) {
  if (reader.Find(key) == nullptr) return std::nullopt;
  return reader.Positive(key, 1);
}

// transformers tests these keys for truth: 0 and false count as absent.
std::optional<double> PositiveUnlessZero(ConfigReader& reader, const char* key) {
  const json* value = reader.Find(key);
  if (value == nullptr || IsZero(*value)) return std::nullopt;
  return reader.Positive(key, 1);
}

// Llama 3's and YaRN's original length stands, in some files, beside the object.
void AdoptOriginalLength(ConfigReader& reader, RopeConfig* rope) {
  if (!rope->scaling) return;
  const auto type = rope->scaling->type;
  if (type != RopeScaling::Type::kYarn && type != RopeScaling::Type::kLlama3) return;
  constexpr char kKey[] = "original_max_position_embeddings";
  if (reader.Find(kKey) != nullptr) {
    rope->scaling->original_max_position_embeddings = reader.Size(kKey);
  }
}

void ReadScalingInto(const json& object, const char* key, ConfigReader& reader, RopeConfig* rope) {
  if (!object.is_object()) return reader.Fail(key, "must be an object");
  auto scaling = ReadRopeScaling(object);
  if (!scaling.ok()) return reader.Adopt(key, scaling.status());
  rope->scaling = *scaling;
  ConfigReader inner(object);
  rope->theta = inner.Positive("rope_theta", rope->theta);
  reader.Adopt(key, inner.status());
}

}  // namespace

absl::StatusOr<std::optional<RopeScaling>> ReadRopeScaling(const json& object) {
  ConfigReader reader(object);
  const std::string type = reader.Text("rope_type", reader.Text("type", "default"));
  if (const json* part = reader.Find("partial_rotary_factor"); part != nullptr && *part != 1.0) {
    reader.Fail("partial_rotary_factor",
                "asks for embeddings of a part of each head, which is not "
                "supported yet");
  }
  RETURN_IF_ERROR(reader.status());
  if (type == "default") return std::nullopt;
  auto known = Types().find(type);
  if (known == Types().end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rope_type '", type, "' is not supported yet; linear, dynamic, yarn and llama3 are"));
  }
  RopeScaling scaling;
  scaling.type = known->second;
  if (reader.Find("factor") == nullptr) reader.Fail("factor", "is missing");
  scaling.factor = reader.Positive("factor", 1);
  if (reader.Find("original_max_position_embeddings") != nullptr) {
    scaling.original_max_position_embeddings = reader.Size("original_max_position_embeddings");
  }
  scaling.beta_fast = PositiveUnlessZero(reader, "beta_fast").value_or(32);
  scaling.beta_slow = PositiveUnlessZero(reader, "beta_slow").value_or(1);
  scaling.truncate = reader.Flag("truncate", true);
  scaling.attention_factor = OptionalPositive(reader, "attention_factor");
  scaling.mscale = PositiveUnlessZero(reader, "mscale");
  scaling.mscale_all_dim = PositiveUnlessZero(reader, "mscale_all_dim");
  scaling.low_freq_factor = reader.Positive("low_freq_factor", 1);
  scaling.high_freq_factor = reader.Positive("high_freq_factor", 4);
  if (scaling.high_freq_factor <= scaling.low_freq_factor) {
    reader.Fail("high_freq_factor", "must be above low_freq_factor");
  }
  RETURN_IF_ERROR(reader.status());
  return scaling;
}

RopeConfig ReadRope(ConfigReader& reader, double default_theta) {
  RopeConfig rope;
  rope.theta = reader.Positive("rope_theta", default_theta);
  // transformers takes `rope_scaling or rope_parameters`: one object, never parts of both.
  const json* scaling = reader.Find("rope_scaling");
  const bool has_scaling = scaling != nullptr && !(scaling->is_object() && scaling->empty());
  const char* key = has_scaling ? "rope_scaling" : "rope_parameters";
  if (const json* object = reader.Find(key)) ReadScalingInto(*object, key, reader, &rope);
  AdoptOriginalLength(reader, &rope);
  return rope;
}

std::vector<RopeConfig> ReadGlobalAndLocalRope(ConfigReader& reader) {
  RopeConfig global{reader.Positive("rope_theta", 1e6), std::nullopt};
  RopeConfig local{reader.Positive("rope_local_base_freq", 1e4), std::nullopt};
  if (const json* scaling = reader.Find("rope_scaling")) {
    ReadScalingInto(*scaling, "rope_scaling", reader, &global);
  }
  if (const json* both = reader.Find("rope_parameters")) {
    if (!both->is_object()) {
      reader.Fail("rope_parameters", "must be an object");
      return {global, local};
    }
    const ConfigReader parameters(*both);
    if (const json* object = parameters.Find("full_attention")) {
      ReadScalingInto(*object, "rope_parameters.full_attention", reader, &global);
    }
    if (const json* object = parameters.Find("sliding_attention")) {
      ReadScalingInto(*object, "rope_parameters.sliding_attention", reader, &local);
    }
  }
  AdoptOriginalLength(reader, &global);
  return {global, local};
}

std::optional<RopeScaling> RopeScalingOf(const RopeScalingSpec& spec) {
  if (spec.rope_type.empty()) return std::nullopt;
  RopeScaling scaling;
  scaling.type = Types().at(spec.rope_type);
  scaling.factor = spec.factor.value_or(1);
  scaling.original_max_position_embeddings = spec.original_max_position_embeddings;
  scaling.beta_fast = spec.beta_fast;
  scaling.beta_slow = spec.beta_slow;
  scaling.attention_factor = spec.attention_factor;
  scaling.low_freq_factor = spec.low_freq_factor;
  scaling.high_freq_factor = spec.high_freq_factor;
  return scaling;
}

}  // namespace mozgach

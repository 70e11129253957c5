#include "trainer/attention/rope_frequencies.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/reciprocal.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mozgach {
namespace {

bool IsDynamic(const std::optional<RopeScaling>& scaling) {
  return scaling && scaling->type == RopeScaling::Type::kDynamic;
}

// 1 / theta^(2i / head_dim)
at::Tensor Unscaled(double theta, int64_t head_dim) {
  const at::Tensor exponents =
      at::arange(0, head_dim, 2, at::kLong).to(at::kFloat).div_(static_cast<double>(head_dim));
  return at::reciprocal(at::pow(theta, exponents));
}

// theta · (f · L / Lmax - (f - 1))^(d / (d - 2))
double NtkTheta(const RopeScaling& scaling, const RopeSetup& setup, double theta,
                int64_t positions) {
  const auto most = static_cast<double>(setup.max_position_embeddings);
  const double length = std::max(static_cast<double>(positions), most);
  const auto dim = static_cast<double>(setup.head_dim);
  return theta *
         std::pow(scaling.factor * length / most - (scaling.factor - 1.0), dim / (dim - 2.0));
}

// The pair of dimensions that turns `rotations` times within `length` positions.
double DimensionOf(double rotations, double length, double theta, int64_t head_dim) {
  return static_cast<double>(head_dim) * std::log(length / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(theta));
}

// Keeps fast dimensions, interpolates slow ones, and uses a ramp between them. The frequencies have
// already been divided by `stretched`.
void ApplyYarn(const RopeScaling& scaling, const RopeSetup& setup, double stretched,
               RopeFrequencies* frequencies) {
  const double length = static_cast<double>(scaling.original_max_position_embeddings.value_or(
                            setup.max_position_embeddings)) /
                        stretched;
  double low = DimensionOf(scaling.beta_fast, length, setup.base.theta, setup.head_dim);
  double high = DimensionOf(scaling.beta_slow, length, setup.base.theta, setup.head_dim);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(setup.head_dim - 1));
  if (low == high) high += 0.001;
  auto* values = frequencies->inverse.mutable_data_ptr<float>();
  for (int64_t i = 0; i < frequencies->inverse.numel(); ++i) {
    const float ramp = std::clamp(
        (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low), 0.0f,
        1.0f);
    const float kept = 1.0f - ramp;
    const float interpolated = values[i] / static_cast<float>(scaling.factor);
    values[i] = interpolated * (1.0f - kept) + values[i] * kept;
  }
  const auto magnitude = [&](double scale) {
    return scaling.factor <= 1 ? 1.0 : 0.1 * scale * std::log(scaling.factor) + 1.0;
  };
  double attention = magnitude(1.0);
  if (scaling.mscale && scaling.mscale_all_dim) {
    attention = magnitude(*scaling.mscale) / magnitude(*scaling.mscale_all_dim);
  }
  frequencies->attention *= scaling.attention_factor.value_or(attention);
}

// Divides the frequencies of long waves by the factor, keeps short waves, and uses a ramp between
// them.
void ApplyLlama3(const RopeScaling& scaling, const RopeSetup& setup, RopeFrequencies* frequencies) {
  const auto length = static_cast<double>(
      scaling.original_max_position_embeddings.value_or(setup.max_position_embeddings));
  const auto longest = static_cast<float>(length / scaling.low_freq_factor);
  const auto shortest = static_cast<float>(length / scaling.high_freq_factor);
  const auto factor = static_cast<float>(scaling.factor);
  auto* values = frequencies->inverse.mutable_data_ptr<float>();
  for (int64_t i = 0; i < frequencies->inverse.numel(); ++i) {
    const float wave = static_cast<float>(2 * std::numbers::pi) / values[i];
    if (wave < shortest) continue;
    if (wave > longest) {
      values[i] /= factor;
      continue;
    }
    const float smooth =
        (static_cast<float>(length) / wave - static_cast<float>(scaling.low_freq_factor)) /
        static_cast<float>(scaling.high_freq_factor - scaling.low_freq_factor);
    values[i] = (1.0f - smooth) * values[i] / factor + smooth * values[i];
  }
}

// Applies all kinds except dynamic scaling, which has already changed theta. Returns the factor by
// which all frequencies were divided equally.
double Apply(const RopeScaling& scaling, const RopeSetup& setup, double stretched,
             RopeFrequencies* frequencies) {
  switch (scaling.type) {
    case RopeScaling::Type::kLinear:
      frequencies->inverse.div_(scaling.factor);
      return scaling.factor;
    case RopeScaling::Type::kYarn:
      ApplyYarn(scaling, setup, stretched, frequencies);
      return 1.0;
    case RopeScaling::Type::kLlama3:
      ApplyLlama3(scaling, setup, frequencies);
      return 1.0;
    case RopeScaling::Type::kDynamic:
      break;
  }
  return 1.0;
}

}  // namespace

bool RopeSetup::dynamic() const { return IsDynamic(base.scaling) || IsDynamic(extension); }

RopeFrequencies FrequenciesFor(const RopeSetup& setup, int64_t positions) {
  double theta = setup.base.theta;
  for (const auto& scaling : {setup.base.scaling, setup.extension}) {
    if (IsDynamic(scaling)) theta = NtkTheta(*scaling, setup, theta, positions);
  }
  RopeFrequencies frequencies{Unscaled(theta, setup.head_dim), 1.0};
  double stretched = 1.0;
  for (const auto& scaling : {setup.base.scaling, setup.extension}) {
    if (scaling) stretched *= Apply(*scaling, setup, stretched, &frequencies);
  }
  return frequencies;
}

int64_t LongestText(const RopeSetup& setup) {
  // If config.json has a scaling, max_position_embeddings is the value after scaling, except for
  // the dynamic kind.
  double longest = static_cast<double>(setup.max_position_embeddings);
  if (IsDynamic(setup.base.scaling)) longest *= setup.base.scaling->factor;
  if (!setup.extension) return static_cast<int64_t>(longest);
  const auto& before = setup.extension->original_max_position_embeddings;
  const double stretched =
      (before ? static_cast<double>(*before) : longest) * setup.extension->factor;
  return static_cast<int64_t>(std::max(longest, stretched));
}

}  // namespace mozgach

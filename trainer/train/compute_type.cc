#include "trainer/train/compute_type.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "trainer/device/compute_device.h"

namespace mozgach {
namespace {

// Amount of work to measure a type.
struct Sample {
  int64_t tokens;
  int64_t rounds;
};

constexpr Sample kFirstLook{8, 1};
constexpr Sample kMeasurement{256, 3};
constexpr double kClearLoss = 4;    // as a multiple of float32's time
constexpr double kClearWin = 0.75;  // as a fraction of float32's time

// Seconds of products [tokens, in] x [in, out]. Each product has a different number of tokens, as
// in training, because preparing the kernel for a new shape is part of a type's cost.
double ProductSeconds(const ModelConfig& config, at::ScalarType type, const at::Device& device,
                      const Sample& sample) {
  const auto options = at::TensorOptions().dtype(type).device(device);
  const at::Tensor x = at::ones({sample.tokens + sample.rounds, config.hidden_size}, options);
  const at::Tensor w = at::ones({config.intermediate_size, config.hidden_size}, options);
  at::mm(x, w.t());  // the first product starts threads
  Synchronize(device);
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t round = 0; round < sample.rounds; ++round) {
    at::mm(x.narrow(0, 0, sample.tokens + round), w.t());
  }
  Synchronize(device);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The time of bfloat16 divided by the time of float32.
double RelativeTime(const ModelConfig& config, const at::Device& device, const Sample& sample) {
  const double float32 = ProductSeconds(config, at::kFloat, device, sample);
  return ProductSeconds(config, at::kBFloat16, device, sample) / float32;
}

}  // namespace

absl::StatusOr<at::ScalarType> ParseComputeType(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  return absl::InvalidArgumentError(
      absl::StrCat("'", name, "' is not a compute type; use float32 or bfloat16"));
}

std::string ComputeTypeName(at::ScalarType type) {
  return type == at::kBFloat16 ? "bfloat16" : "float32";
}

at::ScalarType MeasureComputeType(const ModelConfig& config, const at::Device& device) {
  const at::NoGradGuard no_grad;
  // A processor without bfloat16 instructions needs about a hundred times as long; the complete
  // measurement would take a minute for a large base.
  if (RelativeTime(config, device, kFirstLook) > kClearLoss) return at::kFloat;
  return RelativeTime(config, device, kMeasurement) < kClearWin ? at::kBFloat16 : at::kFloat;
}

}  // namespace mozgach

#include "trainer/train/blockwise_adamw.h"

#include <ATen/Parallel.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/bucketize.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/div.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "planner/step_bounds.h"
#include "trainer/quant/dynamic_levels.h"
#include "trainer/quant/nf4.h"

namespace mozgach {
namespace {

using Levels = std::array<float, 256>;

constexpr int64_t kGrainBlocks = 16;

int64_t BlocksOf(int64_t elements) { return (elements + kMomentBlock - 1) / kMomentBlock; }

// Midpoints of neighbouring levels. A value on a midpoint gets the lower level.
Levels BoundsOf(const Levels& levels) {
  Levels bounds;
  for (size_t i = 0; i + 1 < levels.size(); ++i) bounds[i] = (levels[i] + levels[i + 1]) / 2.0f;
  bounds.back() = INFINITY;
  return bounds;
}

struct Type {
  const Levels& levels;
  const Levels bounds = BoundsOf(levels);
};

const Type& SignedType() {
  static const Type kType{DynamicLevels()};
  return kType;
}

const Type& UnsignedType() {
  static const Type kType{UnsignedDynamicLevels()};
  return kType;
}

// The number of the 255 bounds below `value`: eight steps without a branch.
uint8_t NearestLevel(const Levels& bounds, float value) {
  const float* begin = bounds.data();
  for (int64_t half = 128; half > 0; half /= 2) begin += begin[half - 1] < value ? half : 0;
  return static_cast<uint8_t>(begin - bounds.data());
}

// One block of one moment during an update.
struct Block {
  Block(const Type& its_type, const BlockwiseMoment& moment, int64_t index, int64_t elements)
      : type(its_type),
        count(elements),
        codes(moment.codes.mutable_data_ptr<uint8_t>() + index * kMomentBlock),
        absmax(moment.absmax.mutable_data_ptr<float>() + index) {
    for (int64_t i = 0; i < count; ++i) values[i] = type.levels[codes[i]] * *absmax;
  }

  void Store() {
    float largest = 0;
    for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
    *absmax = largest;
    const float reciprocal = largest > 0 ? 1.0f / largest : 0.0f;
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = NearestLevel(type.bounds, std::clamp(values[i] * reciprocal, -1.0f, 1.0f));
    }
  }

  const Type& type;
  const int64_t count;
  uint8_t* const codes;
  float* const absmax;
  float values[kMomentBlock];
};

// The factors of an update as they occur in the formula.
struct Factors {
  explicit Factors(const AdamWUpdate& update)
      : beta1(static_cast<float>(update.beta1)),
        beta2(static_cast<float>(update.beta2)),
        new1(static_cast<float>(1 - update.beta1)),
        new2(static_cast<float>(1 - update.beta2)),
        decay(static_cast<float>(1 - update.learning_rate * update.weight_decay)),
        rate(static_cast<float>(-update.learning_rate /
                                (1 - std::pow(update.beta1, static_cast<double>(update.step))))),
        correction(static_cast<float>(
            std::sqrt(1 - std::pow(update.beta2, static_cast<double>(update.step))))),
        epsilon(static_cast<float>(update.epsilon)) {}

  float beta1, beta2, new1, new2, decay, rate, correction, epsilon;
};

void UpdateBlock(const Factors& f, const float* gradient, float* parameter, Block& first,
                 Block& second) {
  for (int64_t i = 0; i < first.count; ++i) {
    const float g = gradient[i];
    first.values[i] = first.values[i] * f.beta1 + g * f.new1;
    second.values[i] = second.values[i] * f.beta2 + g * g * f.new2;
    const float root = std::sqrt(second.values[i]) / f.correction + f.epsilon;
    parameter[i] = parameter[i] * f.decay + f.rate * (first.values[i] / root);
  }
  first.Store();
  second.Store();
}

// The update with tensor operations, for other devices.
struct MomentTensors {
  MomentTensors(const Type& type, const BlockwiseMoment& its_moment)
      : moment(its_moment),
        levels(at::tensor(at::ArrayRef<float>(type.levels)).to(moment.codes.device())),
        bounds(at::tensor(at::ArrayRef<float>(type.bounds.data(), 255)).to(moment.codes.device())) {
  }

  // Reshapes to [blocks, 256] with zeros after the last element.
  at::Tensor InBlocks(const at::Tensor& flat) const {
    const int64_t padding = BlocksOf(flat.numel()) * kMomentBlock - flat.numel();
    return at::constant_pad_nd(flat, {0, padding}).view({-1, kMomentBlock});
  }
  at::Tensor Values() const {
    const at::Tensor flat = at::index_select(levels, 0, moment.codes.to(at::kInt));
    return InBlocks(flat).mul_(moment.absmax.unsqueeze(1));
  }
  void Store(const at::Tensor& values) const {
    const at::Tensor largest = at::amax(at::abs(values), {1});
    moment.absmax.copy_(largest);
    const at::Tensor scaled = at::div(values, largest.clamp_min(1e-38).unsqueeze(1));
    const at::Tensor codes = at::bucketize(scaled, bounds, /*out_int32=*/true);
    moment.codes.copy_(codes.flatten().narrow(0, 0, moment.codes.numel()));
  }

  const BlockwiseMoment& moment;
  at::Tensor levels;
  at::Tensor bounds;
};

void UpdateByTensors(const Factors& f, const at::Tensor& gradient, const at::Tensor& parameter,
                     const BlockwiseMoments& moments) {
  const MomentTensors first(SignedType(), moments.exp_avg);
  const MomentTensors second(UnsignedType(), moments.exp_avg_sq);
  const at::Tensor g = first.InBlocks(gradient.flatten());
  const at::Tensor m = first.Values().mul_(f.beta1).add_(g, f.new1);
  const at::Tensor v = second.Values().mul_(f.beta2).addcmul_(g, g, f.new2);
  const at::Tensor step = at::div(m, at::sqrt(v).div_(f.correction).add_(f.epsilon));
  at::Tensor flat = parameter.view({-1});
  flat.mul_(f.decay).add_(step.flatten().narrow(0, 0, flat.numel()), f.rate);
  first.Store(m);
  second.Store(v);
}

BlockwiseMoment ZeroMoment(int64_t elements, at::Device device) {
  return {at::zeros({elements}, at::TensorOptions().dtype(at::kByte).device(device)),
          at::zeros({BlocksOf(elements)}, at::TensorOptions().dtype(at::kFloat).device(device))};
}

}  // namespace

BlockwiseMoments BlockwiseMoments::Zeros(int64_t elements, at::Device device) {
  return {ZeroMoment(elements, device), ZeroMoment(elements, device)};
}

void UpdateBlockwise(const AdamWUpdate& update, const at::Tensor& gradient,
                     const at::Tensor& parameter, const BlockwiseMoments& moments) {
  const Factors factors(update);
  const at::Tensor dense = gradient.contiguous();
  if (!parameter.is_cpu()) return UpdateByTensors(factors, dense, parameter, moments);
  const float* g = dense.const_data_ptr<float>();
  float* p = parameter.mutable_data_ptr<float>();
  const int64_t elements = parameter.numel();
  at::parallel_for(0, BlocksOf(elements), kGrainBlocks, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; ++index) {
      const int64_t place = index * kMomentBlock;
      const int64_t count = std::min(kMomentBlock, elements - place);
      Block first(SignedType(), moments.exp_avg, index, count);
      Block second(UnsignedType(), moments.exp_avg_sq, index, count);
      UpdateBlock(factors, g + place, p + place, first, second);
    }
  });
}

}  // namespace mozgach

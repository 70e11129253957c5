#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/quant/dynamic_levels.h"
#include "trainer/quant/nf4.h"

namespace mozgach {
namespace {

// torch.linspace(0.1, 1, count) in float32: computed from the start in the first half and from the
// end in the second half, each value rounded once.
std::vector<float> Linspace(int count) {
  const float start = 0.1f, end = 1.0f;
  const float step = (end - start) / static_cast<float>(count - 1);
  std::vector<float> values(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    values[static_cast<size_t>(i)] = i < count / 2
                                         ? std::fma(step, static_cast<float>(i), start)
                                         : std::fma(-step, static_cast<float>(count - i - 1), end);
  }
  return values;
}

// Seven decades, each divided into as many steps as its exponent leaves bits, plus 0 and +1. An
// unsigned level has one more bit for the steps.
std::array<float, 256> MakeDynamicLevels(bool with_sign) {
  constexpr int kExponents = 7;
  std::vector<float> levels = {0.0f, 1.0f};
  for (int i = 0; i < kExponents; ++i) {
    const std::vector<float> bounds = Linspace((with_sign ? 1 << i : 2 << i) + 1);
    const float decade = static_cast<float>(std::pow(10.0, i - (kExponents - 1)));
    for (size_t j = 0; j + 1 < bounds.size(); ++j) {
      const float mean = (bounds[j] + bounds[j + 1]) / 2.0f;
      levels.push_back(decade * mean);
      if (with_sign) levels.push_back(-decade * mean);
    }
  }
  std::sort(levels.begin(), levels.end());
  std::array<float, 256> table;
  std::copy(levels.begin(), levels.end(), table.begin());
  return table;
}

}  // namespace

const std::array<float, 16>& Nf4Levels() {
  static constexpr std::array<float, 16> kLevels = {
      -1.0f,
      -0.6961928009986877f,
      -0.5250730514526367f,
      -0.39491748809814453f,
      -0.28444138169288635f,
      -0.18477343022823334f,
      -0.09105003625154495f,
      0.0f,
      0.07958029955625534f,
      0.16093020141124725f,
      0.24611230194568634f,
      0.33791524171829224f,
      0.44070982933044434f,
      0.5626170039176941f,
      0.7229568362236023f,
      1.0f,
  };
  return kLevels;
}

const std::array<float, 256>& DynamicLevels() {
  static const std::array<float, 256> kLevels = MakeDynamicLevels(/*with_sign=*/true);
  return kLevels;
}

const std::array<float, 256>& UnsignedDynamicLevels() {
  static const std::array<float, 256> kLevels = MakeDynamicLevels(/*with_sign=*/false);
  return kLevels;
}

const at::Tensor& DynamicLevelsTensor() {
  static const at::Tensor kLevels = at::tensor(at::ArrayRef<float>(DynamicLevels()));
  return kLevels;
}

}  // namespace mozgach

#include "trainer/attention/rotary.h"

#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sub.h>

#include <algorithm>

namespace mozgach {

void RotaryTable::Extend(const std::optional<RopeScaling>& extension) {
  setup_.extension = extension;
  Release();
}

bool RotaryTable::Reaches(int64_t positions) const {
  if (!cos_.defined() || cos_.size(0) < positions) return false;
  const int64_t least = setup_.max_position_embeddings;
  return !setup_.dynamic() || std::max(positions, least) == std::max(made_for_, least);
}

void RotaryTable::Reach(int64_t positions) {
  if (Reaches(positions)) return;
  const RopeFrequencies frequencies = FrequenciesFor(setup_, positions);
  // Allocates more than needed, so that growing one token at a time is cheap.
  const int64_t length = std::max<int64_t>(64, positions + positions / 2);
  const at::Tensor angles = at::outer(at::arange(length, at::kFloat), frequencies.inverse);
  cos_ = at::cos(angles).mul_(frequencies.attention).to(device_);
  sin_ = at::sin(angles).mul_(frequencies.attention).to(device_);
  made_for_ = positions;
}

at::Tensor RotateHeads(const at::Tensor& x, const at::Tensor& positions, const RotaryTable& table) {
  const at::Tensor cos = at::index_select(table.cos(), 0, positions).unsqueeze(1);
  const at::Tensor sin = at::index_select(table.sin(), 0, positions).unsqueeze(1);
  const int64_t half = x.size(2) / 2;
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor first = wide.narrow(2, 0, half), second = wide.narrow(2, half, half);
  return at::cat({at::sub(at::mul(first, cos), at::mul(second, sin)),
                  at::add(at::mul(second, cos), at::mul(first, sin))},
                 2)
      .to(x.scalar_type());
}

}  // namespace mozgach

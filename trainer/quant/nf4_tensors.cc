#include "trainer/quant/nf4_tensors.h"

#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

namespace mozgach {

namespace {

// values[i] *= scales[i / block]; the last block may be shorter.
void ScaleBlocks(at::Tensor& values, const at::Tensor& scales, int64_t block) {
  const int64_t count = values.numel();
  const int64_t whole = count / block;
  if (whole > 0) {
    values.narrow(0, 0, whole * block)
        .view({whole, block})
        .mul_(scales.narrow(0, 0, whole).unsqueeze(1));
  }
  if (whole * block < count) {
    values.narrow(0, whole * block, count - whole * block).mul_(scales.narrow(0, whole, 1));
  }
}

}  // namespace

at::Tensor ScalesByTensors(const QuantizedWeight& weight) {
  at::Tensor scales = at::index_select(weight.nested_levels, 0, weight.absmax.to(at::kInt));
  ScaleBlocks(scales, weight.nested_absmax, weight.nested_block);
  return scales.add_(weight.offset);
}

void DequantizeByTensors(const QuantizedWeight& weight, const at::Tensor& scales, at::Tensor& out) {
  const at::Tensor levels =
      at::tensor(at::ArrayRef<float>(weight.levels)).to(weight.codes.device());
  const at::Tensor indices =
      at::stack({at::bitwise_right_shift(weight.codes, 4), at::bitwise_and(weight.codes, 15)}, 1);
  at::Tensor values = at::index_select(levels, 0, indices.reshape({-1}).to(at::kInt));
  values = values.narrow(0, 0, weight.elements());
  ScaleBlocks(values, scales, weight.block);
  out.view({-1}).copy_(values);
}

}  // namespace mozgach

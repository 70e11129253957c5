#include "trainer/quant/nf4_tensors.h"

#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

namespace mozgach {

at::Tensor ScalesByTensors(const QuantizedWeight& weight) {
  const at::Tensor levels =
      at::tensor(at::ArrayRef<float>(DynamicLevels())).to(weight.absmax.device());
  const at::Tensor nested = weight.nested_absmax.unsqueeze(1)
                                .expand({-1, kNf4NestedBlock})
                                .reshape({-1})
                                .narrow(0, 0, weight.absmax.numel());
  return at::index_select(levels, 0, weight.absmax.to(at::kInt)).mul_(nested).add_(weight.offset);
}

void DequantizeByTensors(const QuantizedWeight& weight, const at::Tensor& scales, at::Tensor& out) {
  const at::Tensor levels =
      at::tensor(at::ArrayRef<float>(Nf4Levels())).to(weight.codes.device());
  const at::Tensor indices = at::stack({at::bitwise_right_shift(weight.codes, 4),
                                        at::bitwise_and(weight.codes, 15)}, 1);
  const int64_t count = weight.elements();
  at::Tensor values = at::index_select(levels, 0, indices.reshape({-1}).to(at::kInt));
  values = values.narrow(0, 0, count);
  const int64_t whole = count / kNf4Block;
  if (whole > 0) {
    values.narrow(0, 0, whole * kNf4Block)
        .view({whole, kNf4Block})
        .mul_(scales.narrow(0, 0, whole).unsqueeze(1));
  }
  if (whole < scales.numel()) {
    values.narrow(0, whole * kNf4Block, count - whole * kNf4Block)
        .mul_(scales.narrow(0, whole, 1));
  }
  out.view({-1}).copy_(values);
}

}  // namespace mozgach

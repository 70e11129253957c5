// The arithmetic of an AdaptedLinear without autograd: the low-rank addition to the base's product,
// and its gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/lora/adapted_linear.h"

namespace mozgach {

// The adapted parts of one AdaptedLinear, for one call.
struct LowRank {
  struct Part {
    Projection projection;
    int64_t first_row;  // first of the weight's rows that belong to this part
    int64_t rows;
    at::Tensor a;  // [rank, in] float32
    at::Tensor b;  // [rows, rank] float32
  };
  std::vector<Part> parts;
  const AdaptedLinear* linear = nullptr;
  double scaling = 1;
  double dropout = 0;
  uint64_t seed = 0;
  uint32_t step = 0;
  uint32_t micro_batch = 0;
  DequantBuffer* buffer = nullptr;

  LowRank(const AdaptedLinear& linear, const LoraContext& context);

  // True if adding scaling · B A to the weight is cheaper than two products per token. The result
  // differs only by rounding, and only in float32 is that difference small enough.
  bool Merges(int64_t tokens) const;

  // Returns y [tokens, rows of the linear].
  at::Tensor Forward(const at::Tensor& x) const;

  struct Gradients {
    at::Tensor x;                // undefined if not requested
    std::vector<at::Tensor> ab;  // gradients of A and B of each part, in order, float32
  };
  Gradients Backward(const at::Tensor& x, const at::Tensor& grad_y, bool want_x) const;

 private:
  at::Tensor Mask(const Part& part, const at::Tensor& x) const;
  at::Tensor MergedWeight() const;
  at::Tensor BaseProduct(const at::Tensor& x, const at::Tensor& weight) const;
  at::Tensor StackedA(at::ScalarType type) const;  // [sum of ranks, in]
  void BackwardShared(const at::Tensor& x, const at::Tensor& grad_y, bool add_to_x,
                      Gradients* gradients) const;
  void BackwardWithDropout(const at::Tensor& x, const at::Tensor& grad_y,
                           Gradients* gradients) const;
};

}  // namespace mozgach

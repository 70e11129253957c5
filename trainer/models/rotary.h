// Rotary position embeddings (Su et al., 2021): the table of angles, and rotating by it where no
// fused kernel serves.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mozgach {

// Cosines and sines of position · theta^(-2i / head_dim), made once and for longer when needed.
class RotaryTable {
 public:
  RotaryTable(double theta, int64_t head_dim, at::Device device)
      : theta_(theta), head_dim_(head_dim), device_(device) {}

  // Makes the table good for `positions` positions.
  void Reach(int64_t positions);
  void Release() { cos_ = sin_ = at::Tensor(); }

  // [positions, head_dim / 2] float32.
  const at::Tensor& cos() const { return cos_; }
  const at::Tensor& sin() const { return sin_; }

 private:
  double theta_;
  int64_t head_dim_;
  at::Device device_;
  at::Tensor cos_;
  at::Tensor sin_;
};

// x [n, heads, head_dim], each row rotated to its place of `positions` [n] int64; in x's type.
// Differentiable.
at::Tensor RotateHeads(const at::Tensor& x, const at::Tensor& positions, const RotaryTable& table);

}  // namespace mozgach

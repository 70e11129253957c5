// Rotary position embeddings (Su et al., 2021): the table of angles, and rotating by it where no
// fused kernel serves.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "trainer/attention/rope_frequencies.h"

namespace mozgach {

// Cosines and sines of position · frequency, made once and for longer when needed.
class RotaryTable {
 public:
  RotaryTable(RopeSetup setup, at::Device device) : setup_(std::move(setup)), device_(device) {}

  // A domain file's scaling on top of the base's; nothing for none.
  void Extend(const std::optional<RopeScaling>& extension);

  const RopeSetup& setup() const { return setup_; }

  // Makes the table good for texts of `positions` tokens.
  void Reach(int64_t positions);
  void Release() { cos_ = sin_ = at::Tensor(); }

  // [positions, head_dim / 2] float32.
  const at::Tensor& cos() const { return cos_; }
  const at::Tensor& sin() const { return sin_; }

 private:
  bool Reaches(int64_t positions) const;

  RopeSetup setup_;
  at::Device device_;
  int64_t made_for_ = 0;
  at::Tensor cos_;
  at::Tensor sin_;
};

// x [n, heads, head_dim], each row rotated to its place of `positions` [n] int64; in x's type.
// Differentiable.
at::Tensor RotateHeads(const at::Tensor& x, const at::Tensor& positions, const RotaryTable& table);

}  // namespace mozgach

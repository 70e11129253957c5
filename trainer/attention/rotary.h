// Rotary position embeddings (Su et al., 2021): the table of angles, and rotation by it where no
// fused kernel is available.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "trainer/attention/rope_frequencies.h"

namespace mozgach {

// Cosines and sines of position · frequency. Computed once, and again if a longer table is needed.
class RotaryTable {
 public:
  RotaryTable(RopeSetup setup, at::Device device) : setup_(std::move(setup)), device_(device) {}

  // Sets the domain file's scaling in addition to the base's; nullopt: none.
  void Extend(const std::optional<RopeScaling>& extension);

  const RopeSetup& setup() const { return setup_; }

  // Extends the table to texts of `positions` tokens if needed.
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

// Rotates each row of x [n, heads, head_dim] by its position in `positions` [n] int64; returns x's
// type. Differentiable.
at::Tensor RotateHeads(const at::Tensor& x, const at::Tensor& positions, const RotaryTable& table);

}  // namespace mozgach

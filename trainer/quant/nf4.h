// NF4 with double quantisation (Dettmers et al., "QLoRA", 2023), byte for byte as bitsandbytes 0.50
// writes and reads it on a CPU.
//
// A weight is cut into blocks of 64 elements, in row-major order. The scale of a block is its
// largest absolute value. Each element becomes the index of the level (of 16) that is nearest to
// element / scale; two indices share a byte, the first in the high half. Double quantisation
// subtracts the mean from the scales and stores them as 8-bit floats in blocks of 256.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "common/status.h"

namespace mozgach {

inline constexpr int64_t kNf4Block = 64;         // elements per scale
inline constexpr int64_t kNf4NestedBlock = 256;  // scales per nested scale

// The 16 levels, ascending: quantiles of a normal distribution, with an exact 0.
const std::array<float, 16>& Nf4Levels();

// The 256 levels of the signed dynamic 8-bit type, ascending (bitsandbytes' create_dynamic_map).
const std::array<float, 256>& DynamicLevels();
// The same levels as a float32 tensor [256], shared by all weights that use them.
const at::Tensor& DynamicLevelsTensor();

// A linear layer's weight in 4-bit blocks: made by QuantizeNf4(), or read from a bitsandbytes
// checkpoint (four_bit_checkpoint.h), which may have a different block size and different levels.
// Immutable; copies share their tensors.
struct QuantizedWeight {
  std::vector<int64_t> shape;         // [out, in]
  at::ScalarType dtype = at::kFloat;  // type before quantisation
  std::array<float, 16> levels = Nf4Levels();
  int64_t block = kNf4Block;  // elements per scale, even
  at::Tensor codes;           // uint8 [(out·in + 1) / 2]
  at::Tensor absmax;          // uint8 [blocks]; float32 without double quantisation

  // With double quantisation; undefined without.
  at::Tensor nested_absmax;  // float32 [ceil(blocks / nested_block)]
  at::Tensor nested_levels;  // float32 [256]
  int64_t nested_block = kNf4NestedBlock;
  float offset = 0;  // mean of the scales

  bool double_quantized() const { return nested_absmax.defined(); }
  int64_t elements() const;
  int64_t bytes() const;  // size of codes and scales, without the fixed tables

  // The scales of the blocks, float32 [blocks].
  at::Tensor Scales() const;

  // Writes level × scale, computed in float32 and rounded once to the type of `out` (float32,
  // bfloat16 or float16). `out` is contiguous, has out·in elements and is on the weight's device. A
  // bitsandbytes layer whose compute type is out's type multiplies with exactly these values.
  void DequantizeInto(at::Tensor& out) const;

  QuantizedWeight To(at::Device device) const;
};

// Quantises a float32, bfloat16 or float16 CPU tensor on at::get_num_threads() threads. DATA_LOSS
// if a value is not finite. As in bitsandbytes, the last bit of `offset` depends on the thread
// count for tensors of more than 2 million elements, because at::mean over the scales does. Set the
// thread count before loading a base and keep it.
absl::StatusOr<QuantizedWeight> QuantizeNf4(const at::Tensor& weight, bool double_quant);

}  // namespace mozgach

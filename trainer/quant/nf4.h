// NF4 with double quantisation (Dettmers et al., "QLoRA", 2023), byte for byte as bitsandbytes 0.50
// makes and reads it on a CPU.
//
// A weight is cut into blocks of 64 along its rows laid end to end.  A block has a scale, its
// largest absolute value, and each element becomes the index of the nearest of 16 levels of
// element / scale; two indices share a byte, the first in the high half.  Double quantisation
// stores the scales themselves, less their mean, as 8-bit floats in blocks of 256.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "common/status.h"

namespace mozgach {

inline constexpr int64_t kNf4Block = 64;         // elements per scale
inline constexpr int64_t kNf4NestedBlock = 256;  // scales per nested scale

// The 16 levels, ascending: quantiles of a normal distribution with an exact 0.
const std::array<float, 16>& Nf4Levels();

// The 256 levels of the signed dynamic 8-bit type, ascending (bitsandbytes' create_dynamic_map).
const std::array<float, 256>& DynamicLevels();
// The same as a tensor, float32 [256], which all weights that use them share.
const at::Tensor& DynamicLevelsTensor();

// A linear layer's weight in 4 bits, in blocks: as QuantizeNf4() makes it, or as a bitsandbytes
// checkpoint brings it (four_bit_checkpoint.h), with a block size and levels of its own.  Immutable
// once made; copies share their tensors.
struct QuantizedWeight {
  std::vector<int64_t> shape;         // [out, in]
  at::ScalarType dtype = at::kFloat;  // what it was quantised from
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
  int64_t bytes() const;  // that grow with the weight: codes and scales

  // The blocks' scales, float32 [blocks].
  at::Tensor Scales() const;

  // level × scale in float32, rounded once to the type of `out` (float32, bfloat16 or float16),
  // which is contiguous, has out·in elements and lies on the weight's device.  A bitsandbytes layer
  // multiplies with exactly this at out's type as its compute type.
  void DequantizeInto(at::Tensor& out) const;

  QuantizedWeight To(at::Device device) const;
};

// Quantises a float32, bfloat16 or float16 CPU tensor, on at::get_num_threads() threads.  DATA_LOSS
// where it holds a value that is not finite.  The result depends on the thread count as far as
// at::mean over the scales does (tensors of more than 2 million elements, last bit of `offset`), as
// in bitsandbytes: fix the thread count before a base is loaded.
absl::StatusOr<QuantizedWeight> QuantizeNf4(const at::Tensor& weight, bool double_quant);

}  // namespace mozgach

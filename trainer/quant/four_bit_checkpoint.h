// How bitsandbytes stores a weight in 4 bits among a checkpoint's tensors (its QuantState.as_dict):
//
//   X                            codes, two to a byte; of uint8, or of any type whose bytes they
//   are X.absmax                     uint8 [blocks], or float32 without double quantisation
//   X.quant_map                  float32 [16], the levels
//   X.nested_absmax              float32 [ceil(blocks / nested_blocksize)]
//   X.nested_quant_map           float32 [256]
//   X.quant_state.bitsandbytes__nf4    JSON in UTF-8: quant_type, blocksize, dtype, shape, and with
//                                double quantisation nested_blocksize, nested_dtype, nested_offset
//
// Which of a base's linear layers are in 4 bits, each of them says by what is beside it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/quant/nf4.h"

namespace mozgach {

// Whether `name` ("….weight") is stored in 4 bits, as NF4 or FP4.
bool IsFourBit(const WeightFiles& files, const std::string& name);

// Whether any tensor is.
bool HasFourBit(const WeightFiles& files);

// The weight `name`, for which IsFourBit().  Its codes lie in the file's mapping where they can, so
// that reading costs no memory of its own; everything is on the CPU.  DATA_LOSS names file, tensor
// and fault where the parts do not fit each other or `shape`, or where the JSON asks for what
// bitsandbytes does not have (block sizes are powers of two from 32 to 4096).
absl::StatusOr<QuantizedWeight> ReadFourBit(const WeightFiles& files, const std::string& name,
                                            const std::vector<int64_t>& shape);

// The tensors that store `weight`, an NF4 one on the CPU, as `name`: names and contents, aligned
// for any reader when they are written in this order (they take a multiple of 8 bytes together).
std::vector<std::pair<std::string, at::Tensor>> FourBitTensors(const std::string& name,
                                                               const QuantizedWeight& weight);

}  // namespace mozgach

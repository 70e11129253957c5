// Reads and writes weights that bitsandbytes stores in 4 bits in a checkpoint (its
// QuantState.as_dict):
//
//   X                   codes, two per byte; uint8, or any type that holds the same bytes
//   X.absmax            uint8 [blocks]; float32 without double quantisation
//   X.quant_map         float32 [16], the levels
//   X.nested_absmax     float32 [ceil(blocks / nested_blocksize)]
//   X.nested_quant_map  float32 [256]
//   X.quant_state.bitsandbytes__nf4
//                       JSON in UTF-8: quant_type, blocksize, dtype, shape; with double
//                       quantisation also nested_blocksize, nested_dtype, nested_offset
//
// A linear layer is in 4 bits if these tensors accompany its weight.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/checkpoint/weight_files.h"
#include "trainer/quant/nf4.h"

namespace mozgach {

// True if `name` ("….weight") is stored in 4 bits, as NF4 or FP4.
bool IsFourBit(const WeightFiles& files, const std::string& name);

// True if any tensor is stored in 4 bits.
bool HasFourBit(const WeightFiles& files);

// Reads the weight `name`, which is stored in 4 bits (IsFourBit()). Its codes stay in the file's
// mapping if possible, so that reading needs no additional memory; everything is on the CPU.
// DATA_LOSS names file, tensor and fault if the parts do not match each other or `shape`, or if the
// JSON requests something that bitsandbytes does not have (block sizes are powers of two from 32 to
// 4096).
absl::StatusOr<QuantizedWeight> ReadFourBit(const WeightFiles& files, const std::string& name,
                                            const std::vector<int64_t>& shape);

// The tensors that store `weight`, an NF4 weight on the CPU, as `name`: names and contents. They
// take a multiple of 8 bytes together and are aligned for any reader if they are written in this
// order.
std::vector<std::pair<std::string, at::Tensor>> FourBitTensors(const std::string& name,
                                                               const QuantizedWeight& weight);

}  // namespace mozgach

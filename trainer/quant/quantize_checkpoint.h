// Converts a base to a bitsandbytes 4-bit checkpoint (NF4), in the format that transformers'
// save_pretrained writes and from_pretrained reads.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/status.h"

namespace mozgach {

struct QuantizeOptions {
  bool double_quant = true;
  int64_t shard_bytes = int64_t{4'500'000'000};  // approximate size of a file
};

struct QuantizeReport {
  int64_t quantized = 0;  // weights stored in 4 bits
  int64_t copied = 0;     // tensors copied unchanged
  int64_t bytes = 0;      // size of all tensors written
};

// Quantises the weights of the decoder's linear layers to 4 bits and copies all other tensors
// (embedding, norms, head, a vision tower), the files of the tokenizer and the template, and
// config.json with a quantization_config. Holds one tensor at a time in memory. `output` appears
// complete, by a rename. INVALID_ARGUMENT if `output` exists and is not empty, or if the base is
// already quantised. Uses the configured number of threads.
absl::StatusOr<QuantizeReport> QuantizeCheckpoint(const std::filesystem::path& base,
                                                  const std::filesystem::path& output,
                                                  const QuantizeOptions& options);

}  // namespace mozgach

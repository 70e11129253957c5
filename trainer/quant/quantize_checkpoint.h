// Makes a bitsandbytes 4-bit checkpoint of a base: NF4, as transformers' save_pretrained writes it
// and from_pretrained reads it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/status.h"

namespace mozgach {

struct QuantizeOptions {
  bool double_quant = true;
  int64_t shard_bytes = int64_t{4'500'000'000};  // about the size of a file
};

struct QuantizeReport {
  int64_t quantized = 0;  // weights in 4 bits
  int64_t copied = 0;     // tensors as they were
  int64_t bytes = 0;      // of all tensors written
};

// Puts the weights of the decoder's linear layers into 4 bits and copies all other tensors
// (embedding, norms, head, a vision tower), the tokenizer's and template's files, and config.json
// with its quantization_config.  One tensor at a time is in memory.  `output` appears whole, by a
// rename; where it is there and not empty it is refused (INVALID_ARGUMENT), as is a base that is
// quantised already.  Uses the threads that are set.
absl::StatusOr<QuantizeReport> QuantizeCheckpoint(const std::filesystem::path& base,
                                                  const std::filesystem::path& output,
                                                  const QuantizeOptions& options);

}  // namespace mozgach

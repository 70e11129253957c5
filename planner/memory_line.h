// What a job's memory is for: the lines of a plan, and the names by which the trainer counts what
// it really holds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace mozgach {

enum class MemoryLine {
  kQuantizedWeights,  // 4-bit codes
  kScales,            // theirs: absmax, nested absmax, levels
  kDenseWeights,      // linear layers that are not in 4 bits, norms, biases
  kHead,              // [vocab, hidden]; read from the base's file where its type allows
  kEmbedding,         // rows are gathered from the file: nothing, unless it is stored in 4 bits
  kDequantBuffer,     // one weight made dense at a time
  kAdapter,           // A and B, float32
  kGradients,         // gradients of A and B, float32
  kOptimizer,         // its moments
  kActivations,       // what forward keeps for backward
  kAttention,         // the attention kernel's workspace
  kLoss,              // a chunk of logits, and the gradient of what goes into the head
  kWorking,           // tensors of the operation at hand
  kEvaluation,        // what scoring and answering take beyond a training step
  kRuntime,           // the process with its libraries and what its heap keeps
};

inline constexpr size_t kMemoryLines = 15;
using MemoryLines = std::array<int64_t, kMemoryLines>;  // bytes by line

// "quantised_weights", "scales", …
const char* NameOf(MemoryLine line);
// For people: "quantised weights (NF4)", …
const char* TitleOf(MemoryLine line);

}  // namespace mozgach

// What decides the memory of a job besides the base's config and the adapter's shape.  Plain
// values.
#pragma once

#include <cstdint>
#include <limits>

namespace mozgach {

enum class DeviceClass { kCpu, kGpu };

// What forward keeps for backward.
enum class Checkpointing {
  kNone,      // all that backward needs
  kPerLayer,  // a layer's input; the layer runs again in backward
};

enum class Optimizer { kAdamW, kAdamW8bit };

// How products are computed and weights are held.
struct ComputeSetup {
  DeviceClass device = DeviceClass::kCpu;
  int64_t element = 4;         // bytes of the compute type: 4 float32, 2 bfloat16
  int64_t stored_element = 2;  // bytes of the type in the base's files
  int64_t threads = 1;
  bool head_in_file = false;  // the head is read where the file is mapped: no copy
  bool quantize = true;
  bool double_quant = true;
  double dropout = 0;
  Checkpointing checkpointing = Checkpointing::kNone;
  // With kPerLayer: the number of lowest adapted layers that recompute; the layers above keep all.
  int64_t checkpointed_layers = std::numeric_limits<int64_t>::max();
  Optimizer optimizer = Optimizer::kAdamW;

  // Whether attention goes tile by tile through our own kernels: bfloat16 on a CPU.
  bool TilesAttention(int64_t head_dim) const {
    return device == DeviceClass::kCpu && element == 2 && head_dim % 16 == 0;
  }
  // Bytes of what attention is given: float32 where a CPU has but the library's kernel.
  int64_t attention_element(int64_t head_dim) const {
    return device == DeviceClass::kCpu && !TilesAttention(head_dim) ? 4 : element;
  }
};

// The tokens that are processed at once. The default describes a step without tokens.
struct StepShape {
  int64_t tokens = 0;             // tokens of the largest micro-batch
  int64_t documents = 1;          // it consists of
  int64_t longest = 0;            // tokens of the longest of them
  int64_t slots = 0;              // tokens with the padding between documents of unlike length
  bool in_order = true;           // documents of one length: their tokens are their slots
  int64_t trained = 0;            // tokens that are predicted and trained, at most
  int64_t micro_batches = 1;      // per step
  int64_t loss_chunk_bytes = 0;   // bytes of logits held at once in training; 0: the fastest choice
  int64_t evaluation_tokens = 0;  // tokens of a batch of held-out rows; 0: none
  int64_t prompts = 0;            // answered at once in evaluation; 0: none
  int64_t prompt_tokens = 0;      // tokens of the longest prompt
  int64_t cache_tokens = 0;       // keys and values kept of each
};

// `documents` of `length` tokens each, all but the first of each trained: the most that rows of
// this length can ask for.
StepShape FullBatch(int64_t documents, int64_t length);

}  // namespace mozgach

// The memory that one linear layer with its adapter works with (trainer/lora/low_rank.cc), forward
// and backward.
#pragma once

#include <cstdint>
#include <vector>

#include "planner/adapter_shape.h"
#include "planner/memory_trace.h"
#include "planner/step_shape.h"

namespace mozgach {

// Projections that read the same input and lie one behind another.
struct LinearGroup {
  std::vector<Projection> projections;
  int64_t in = 0;
  int64_t rows = 0;          // the sum of all parts' rows
  int64_t largest_part = 0;  // elements of the largest one's weight

  int64_t elements() const { return rows * in; }
};

// q, k, v; o; gate, up; down.
struct LinearGroups {
  LinearGroup qkv, output, gate_up, down;
  explicit LinearGroups(const ModelConfig& config);
};

class LinearTrace {
 public:
  // All outlive the trace.
  LinearTrace(const ModelConfig& config, const AdapterShape& adapter, const ComputeSetup& setup,
              MemoryTrace& memory)
      : config_(config), adapter_(adapter), setup_(setup), memory_(memory) {}

  bool Adapted(int64_t layer, const LinearGroup& group) const;
  // Whether scaling · B A is added to the weight rather than multiplied per token.
  bool Merges(int64_t layer, const LinearGroup& group, int64_t tokens) const;

  // While y is made; `y` is the line it is counted on, and is kept.
  void Forward(int64_t layer, const LinearGroup& group, int64_t tokens, MemoryLine y);
  // While gradients are made; that of x is kept as kWorking where it is wanted, those of A and B
  // as kGradients unless the step has them already.
  void Backward(int64_t layer, const LinearGroup& group, int64_t tokens, bool want_x,
                bool has_gradients);

 private:
  int64_t Parts(int64_t layer, const LinearGroup& group) const;
  void Dequantize(const LinearGroup& group);
  void ForwardWithDropout(const LinearGroup& group, int64_t tokens);
  void BackwardWithDropout(const LinearGroup& group, int64_t tokens, bool want_x);

  const ModelConfig& config_;
  const AdapterShape& adapter_;
  const ComputeSetup& setup_;
  MemoryTrace& memory_;
};

}  // namespace mozgach

// The memory of one decoder layer, forward and backward, tensor by tensor in the order in which the
// trainer makes and drops them (trainer/models/decoder_layer.cc).
#pragma once

#include <cstdint>

#include "planner/attention_memory.h"
#include "planner/linear_trace.h"
#include "planner/memory_trace.h"
#include "planner/step_shape.h"

namespace mozgach {

class LayerTrace {
 public:
  // All outlive the trace.
  LayerTrace(const ModelConfig& config, const AdapterShape& adapter, const ComputeSetup& setup,
             const StepShape& shape, MemoryTrace& memory)
      : config_(config),
        setup_(setup),
        shape_(shape),
        memory_(memory),
        groups_(config),
        linear_(config, adapter, setup, memory) {}

  // The tensors of a layer that need gradients.
  struct Needs {
    bool gradients = false;  // the pass is one that will go back
    bool x = false;          // the layer's input wants one
  };

  // From x, which is the caller's, to the layer's result, which is kept on `result`.  With
  // gradients what backward needs is kept as kActivations, but for x.
  void Forward(int64_t layer, Needs needs, MemoryLine result);

  // From the gradient of the result, which is kept and becomes that of x where that is wanted.
  // Gives back what Forward kept.
  void Backward(int64_t layer, Needs needs, bool has_gradients);

  // [tokens, hidden] in the compute type.
  int64_t Row() const { return shape_.tokens * config_.hidden_size * setup_.element; }

 private:
  // What is differentiated on the way through the layer, and so what is kept.
  struct Flow {
    bool qkv, attention, gate_up, mlp;  // its result wants a gradient
    bool keep_normed, keep_qkv, keep_split, keep_attended_heads, keep_attended, keep_mlp_normed,
        keep_gate_up, keep_act;
  };
  Flow FlowOf(int64_t layer, Needs needs) const;
  // Gemma 3 has norms on what attention and mlp give, and it and Qwen3 on queries and keys.
  bool OutputNorms() const { return config_.output_norms; }
  bool HeadNorms() const { return config_.head_norms; }
  bool JoinsInPlace(const AttentionMemory& heads) const;
  int64_t Rows(int64_t width) const { return shape_.tokens * width * setup_.element; }
  int64_t QkvBytes() const { return Rows(groups_.qkv.rows); }
  int64_t HeadRstd() const;

  void ForwardAttention(int64_t layer, Needs needs, const Flow& flow, MemoryLine result);
  void ForwardHeads(const AttentionMemory& heads, const Flow& flow);
  void ForwardMlp(int64_t layer, const Flow& flow, MemoryLine result);
  void BackwardMlp(int64_t layer, const Flow& flow, bool has_gradients);
  void BackwardAttention(int64_t layer, Needs needs, const Flow& flow, bool has_gradients);
  void BackwardHeads(int64_t layer);
  // From a gradient [tokens, hidden] to another through a norm.
  void BackwardNorm();

  const ModelConfig& config_;
  const ComputeSetup& setup_;
  const StepShape& shape_;
  MemoryTrace& memory_;
  const LinearGroups groups_;
  LinearTrace linear_;
};

}  // namespace mozgach

// The memory of a training step, of an evaluation and of generation, on top of what is held all the
// time (trainer/train/trainer.cc, trainer/models/decoder.cc, trainer/train/cross_entropy.cc).
#pragma once

#include "planner/layer_trace.h"

namespace mozgach {

class StepTrace {
 public:
  // All outlive the trace.
  StepTrace(const ModelConfig& config, const AdapterShape& adapter, const ComputeSetup& setup,
            const StepShape& shape, MemoryTrace& memory)
      : config_(config), adapter_(adapter), setup_(setup), shape_(shape), memory_(memory) {}

  // One optimizer step: its micro-batches forward and back.
  void Train();
  // A batch of held-out rows through the model.
  void Evaluate();
  // Prompts, and the answers to them.
  void Generate();

 private:
  struct Batch;  // the places of tokens, held while a batch is under way
  void MicroBatch(bool has_gradients);
  void ForwardLayers(const StepShape& shape, bool gradients);
  void BackwardLayers(bool has_gradients);
  void Loss(const StepShape& shape, bool gradients);
  LayerTrace::Needs NeedsOf(int64_t layer, bool gradients) const;
  bool Checkpoints(int64_t layer) const;
  int64_t Row(const StepShape& shape) const;
  int64_t Rotary(const StepShape& shape) const;

  const ModelConfig& config_;
  const AdapterShape& adapter_;
  const ComputeSetup& setup_;
  const StepShape& shape_;
  MemoryTrace& memory_;
};

}  // namespace mozgach

#include "planner/step_trace.h"

#include <algorithm>

#include "planner/step_bounds.h"

namespace mozgach {
namespace {

using enum MemoryLine;

}  // namespace

int64_t StepTrace::Row(const StepShape& shape) const {
  return shape.tokens * config_.hidden_size * setup_.element;
}

// Cosines and sines; longer than needed, so that growing a token at a time costs little.
int64_t StepTrace::Rotary(const StepShape& shape) const {
  const int64_t length = std::max<int64_t>(64, shape.longest + shape.longest / 2);
  return static_cast<int64_t>(config_.ropes.size()) * length * config_.head_dim * 4;
}

LayerTrace::Needs StepTrace::NeedsOf(int64_t layer, bool gradients) const {
  const int64_t lowest = *adapter_.layers.begin();
  return {gradients && layer >= lowest, gradients && layer > lowest};
}

bool StepTrace::Checkpoints(int64_t layer) const {
  return setup_.checkpointing == Checkpointing::kPerLayer &&
         layer - *adapter_.layers.begin() < setup_.checkpointed_layers;
}

void StepTrace::Train() {
  // Ids, and for each trained token its place and target, of all micro-batches of the step.
  const int64_t ids = 8 * (shape_.tokens + 2 * shape_.trained) * shape_.micro_batches;
  const Held held(memory_, kWorking, ids);
  MicroBatch(false);
  // Those after the first find gradients to add to; they are all alike.
  if (shape_.micro_batches > 1) MicroBatch(true);
  memory_.Give(MemoryLine::kGradients, 4 * adapter_.Parameters(config_));
}

void StepTrace::MicroBatch(bool has_gradients) {
  const Held places(memory_, kWorking, 8 * (shape_.slots + 2 * shape_.tokens) + Rotary(shape_));
  ForwardLayers(shape_, true);
  Loss(shape_, true);
  BackwardLayers(has_gradients);
}

void StepTrace::ForwardLayers(const StepShape& shape, bool gradients) {
  LayerTrace layers(config_, adapter_, setup_, shape, memory_);
  const int64_t row = Row(shape);
  if (setup_.stored_element != setup_.element) {
    memory_.Touch(kWorking, row + shape.tokens * config_.hidden_size * setup_.stored_element);
  }
  if (config_.embedding_scale != 1) memory_.Touch(kWorking, 2 * row);
  memory_.Take(kWorking, row);
  // Whether x is kept for backward once its layer is done.
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    const LayerTrace::Needs needs = NeedsOf(i, gradients);
    const bool checkpoint = Checkpoints(i);
    const bool keeps_x = needs.gradients && (checkpoint || needs.x);
    const bool next_keeps = needs.gradients;
    layers.Forward(i, checkpoint ? LayerTrace::Needs{} : needs,
                   next_keeps ? kActivations : kWorking);
    if (!keeps_x) {
      memory_.Give(kWorking, row);
    } else if (!needs.x) {  // the lowest layer's: counted as working until here
      memory_.Give(kWorking, row);
      memory_.Take(kActivations, row);
    }
  }
  memory_.Take(kWorking, row);  // the last norm's result
  if (gradients) memory_.Take(kActivations, 4 * shape.tokens);
  if (!gradients) memory_.Give(kWorking, row);  // the last layer's
}

// From the last norm's result, which is given back, to the gradient of the rows that are predicted.
void StepTrace::Loss(const StepShape& shape, bool gradients) {
  const int64_t trained = shape.trained * config_.hidden_size * setup_.element;
  const int64_t chunk =
      LossChunkTokens(config_.vocab_size, setup_.element, shape.trained, shape.loss_chunk_bytes);
  memory_.Take(kWorking, trained);
  if (gradients) memory_.Take(kLoss, trained);
  // Logits in the type of the head, which become their own gradient.
  memory_.Touch(kLoss, chunk * (setup_.element * config_.vocab_size + 4));
  memory_.Give(kWorking, trained);
  memory_.Give(kWorking, Row(shape));
}

void StepTrace::BackwardLayers(bool has_gradients) {
  LayerTrace layers(config_, adapter_, setup_, shape_, memory_);
  const int64_t row = Row(shape_);
  const int64_t trained = shape_.trained * config_.hidden_size * setup_.element;
  memory_.Take(kWorking, trained);
  memory_.Give(kLoss, trained);
  memory_.Take(kWorking, row);
  memory_.Give(kWorking, trained);
  memory_.Take(kWorking, row);
  memory_.Give(kActivations, row + 4 * shape_.tokens);
  memory_.Give(kWorking, row);
  const int64_t lowest = *adapter_.layers.begin();
  for (int64_t i = config_.num_hidden_layers - 1; i >= lowest; --i) {
    const LayerTrace::Needs needs = NeedsOf(i, true);
    const bool checkpoint = Checkpoints(i);
    if (checkpoint) {
      layers.Forward(i, needs, kActivations);
      memory_.Take(kWorking, row);  // the gradient of the result stays, that of x grows beside it
      layers.Backward(i, needs, has_gradients);
      memory_.Give(kWorking, row);
      memory_.Give(kActivations, row);
    } else {
      layers.Backward(i, needs, has_gradients);
    }
    if (checkpoint || needs.x) memory_.Give(kActivations, row);
  }
  memory_.Give(kWorking, row);
}

void StepTrace::Evaluate() {
  if (shape_.evaluation_tokens == 0) return;
  StepShape shape = FullBatch(1, shape_.evaluation_tokens);
  shape.longest = std::min(shape_.longest, shape.tokens);
  const Held places(memory_, kWorking, 8 * 6 * shape.tokens + Rotary(shape));
  ForwardLayers(shape, false);
  Loss(shape, false);
}

void StepTrace::Generate() {
  if (shape_.prompts == 0) return;
  StepShape shape = FullBatch(shape_.prompts, shape_.prompt_tokens);
  const int64_t keys =
      config_.num_key_value_heads * config_.head_dim * setup_.attention_element(config_.head_dim);
  const Held cache(memory_, kWorking,
                   2 * config_.num_hidden_layers * keys * shape_.prompts * shape_.cache_tokens);
  const Held places(memory_, kWorking, 8 * 4 * shape.tokens + Rotary(shape));
  ForwardLayers(shape, false);
  memory_.Give(kWorking, Row(shape));
  memory_.Touch(kLoss, shape_.prompts * config_.vocab_size * 4 * (setup_.element == 2 ? 2 : 1));
}

}  // namespace mozgach

#include "trainer/train/training_batch.h"

#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "trainer/memory/counted_memory.h"
#include "trainer/train/cross_entropy.h"

namespace mozgach {
namespace {

at::Tensor OnDevice(const std::vector<int64_t>& values, const at::Device& device) {
  return at::tensor(values, at::kLong).to(device);
}

}  // namespace

TrainingBatch MakeTrainingBatch(const std::vector<Example>& examples, const MicroBatch& micro_batch,
                                const at::Device& device) {
  std::vector<int64_t> ids, positions, targets;
  TrainingBatch batch;
  batch.tokens.document_offsets.push_back(0);
  for (const Sequence& sequence : micro_batch) {
    for (const int32_t index : sequence.examples) {
      const Example& example = examples[static_cast<size_t>(index)];
      const auto begin = static_cast<int64_t>(ids.size());
      ids.insert(ids.end(), example.ids.begin(), example.ids.end());
      for (size_t i = 1; i < example.ids.size(); ++i) {
        if (!example.trained[i]) continue;
        positions.push_back(begin + static_cast<int64_t>(i) - 1);
        targets.push_back(example.ids[i]);
      }
      batch.tokens.document_offsets.push_back(static_cast<int64_t>(ids.size()));
    }
  }
  batch.tokens.ids = OnDevice(ids, device);
  batch.positions = OnDevice(positions, device);
  batch.targets = OnDevice(targets, device);
  return batch;
}

std::vector<MicroBatch> InBatchesOf(const std::vector<Example>& examples, int64_t tokens) {
  std::vector<MicroBatch> batches;
  int64_t held = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    const auto length = static_cast<int64_t>(examples[i].ids.size());
    if (batches.empty() || held + length > tokens) {
      batches.push_back({Sequence{}});
      held = 0;
    }
    Sequence& sequence = batches.back().front();
    sequence.examples.push_back(static_cast<int32_t>(i));
    sequence.tokens += length;
    held += length;
  }
  return batches;
}

at::Tensor SummedLoss(const CausalLm& model, const TrainingBatch& batch,
                      const ForwardOptions& options) {
  const at::Tensor hidden = [&] {
    const MemoryScope scope(MemoryLine::kActivations);
    return model.Forward(batch.tokens, options);
  }();
  const MemoryScope scope(MemoryLine::kLoss);
  return SummedCrossEntropy(at::index_select(hidden, 0, batch.positions), model.head(),
                            batch.targets, options.loss_chunk_bytes);
}

}  // namespace mozgach

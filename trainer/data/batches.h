// Decides which rows are trained in which step. The result depends only on the row lengths and the
// settings, so a checkpoint stores only the step number.
#pragma once

#include <cstdint>
#include <vector>

#include "common/domain/domain_spec.h"

namespace mozgach {

// One sequence: with packing, examples one after another; otherwise a single example.
struct Sequence {
  std::vector<int32_t> examples;  // indices
  int64_t tokens = 0;
};

// Sequences that the model processes together.
using MicroBatch = std::vector<Sequence>;

// The micro-batches of one optimizer step.
using StepPlan = std::vector<MicroBatch>;

// Returns the order of rows in `epoch`: a permutation of [0, rows) drawn from (seed, epoch).
std::vector<int32_t> EpochOrder(int64_t rows, int64_t seed, int64_t epoch);

// Packs rows into sequences of at most `max_length` tokens. Each row, in order, goes into the first
// open sequence with room. At most 64 sequences are open; the oldest is closed first. Rows are
// never split: a row longer than `max_length` is a sequence of its own.
std::vector<Sequence> Pack(const std::vector<int32_t>& order, const std::vector<int64_t>& lengths,
                           int64_t max_length);

// All steps of a training. Gradient accumulation does not extend over the end of an epoch: the
// last, smaller group of an epoch is a step too. Keeps one epoch in memory, regardless of the
// number of steps. Not thread-safe.
class BatchPlan {
 public:
  // `lengths`: tokens of each example.
  BatchPlan(std::vector<int64_t> lengths, const DataSpec& data, const TrainingSpec& training);

  // Returns training.max_steps, or else the steps of num_train_epochs; a fraction of an epoch is
  // rounded up to steps. 0 without examples.
  int64_t steps() const { return steps_; }

  // Returns the step `index`. Epochs follow each other until all steps are filled. Ascending calls
  // are cheap; going back starts again from the first epoch. REQUIRES: 0 <= index < steps().
  StepPlan step(int64_t index) const;

 private:
  // One epoch, cut into sequences; `first` is the index of its first step.
  struct Epoch {
    int64_t number = -1;
    int64_t first = 0;
    std::vector<Sequence> sequences;
  };

  std::vector<Sequence> Sequences(int64_t epoch) const;
  int64_t StepsIn(int64_t sequences) const;
  int64_t StepsOfEpochs(double epochs) const;

  std::vector<int64_t> lengths_;
  int64_t max_length_;
  bool packing_;
  int64_t seed_;
  int64_t batch_;
  int64_t accumulation_;
  int64_t steps_ = 0;
  mutable Epoch epoch_;
};

// Returns the indices of the validation rows, ascending, drawn from `seed`, when data.validation is
// a `fraction`. At least one if there are two or more rows, and never all of them.
std::vector<int32_t> ValidationRows(int64_t rows, double fraction, int64_t seed);

}  // namespace mozgach

// Decides which rows are trained in which step. A pure function of the row lengths and the
// settings: the data cursor of a checkpoint is just the step number.
#pragma once

#include <cstdint>
#include <vector>

#include "common/domain/domain_spec.h"

namespace mozgach {

// One sequence: examples that share it one after another (with packing), or a single one.
struct Sequence {
  std::vector<int32_t> examples;  // indices
  int64_t tokens = 0;
};

// Sequences that go through the model at once.
using MicroBatch = std::vector<Sequence>;

// The micro-batches of one optimizer step.
using StepPlan = std::vector<MicroBatch>;

// Order of rows in `epoch`: a permutation of [0, rows) drawn from (seed, epoch).
std::vector<int32_t> EpochOrder(int64_t rows, int64_t seed, int64_t epoch);

// Puts rows into sequences of at most `max_length` tokens: in order, each into the first open
// sequence with room (at most 64 are open, the oldest is closed first).  Never splits a row: one
// that is longer than `max_length` gets a sequence of its own.
std::vector<Sequence> Pack(const std::vector<int32_t>& order, const std::vector<int64_t>& lengths,
                           int64_t max_length);

// All steps of a training.  Windows of gradient accumulation do not reach over the end of an epoch:
// its last, smaller window is a step too.  Holds one epoch at a time, however many steps there are;
// one thread at a time.
class BatchPlan {
 public:
  // `lengths` are the tokens of each example.
  BatchPlan(std::vector<int64_t> lengths, const DataSpec& data, const TrainingSpec& training);

  // training.max_steps; otherwise the steps of num_train_epochs, a broken epoch rounded up.  0
  // without examples.
  int64_t steps() const { return steps_; }

  // Epochs run on from step to step, as often as the steps need.  Steps asked for in order cost
  // nothing; going back starts again from the first epoch.  REQUIRES: 0 <= index < steps().
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

// Splits `rows` for data.validation as a fraction: indices of the validation rows, ascending, drawn
// from the seed; at least one where there are two rows, and never all.
std::vector<int32_t> ValidationRows(int64_t rows, double fraction, int64_t seed);

}  // namespace mozgach

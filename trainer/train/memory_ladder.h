// The MemoryLadder defines how a training reduces its memory when memory runs out. It steps down
// one rung after another. Each rung needs less memory than the one before; none changes the
// effective batch or the result of the training.
//
//   rungs 1…k     a micro-batch runs in 2, 4, 8… parts: smaller micro-batches, more
//                 accumulation; down to one row at a time
//   then          cheap activations are recomputed in backward, then whole layers (recompute.h)
//   then          the loss uses shorter chunks of tokens
//
// Rung 0 is the training as configured. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/attention/recompute.h"
#include "trainer/data/batches.h"
#include "trainer/data/example.h"

namespace mozgach {

struct MemoryRung {
  int64_t parts = 1;  // number of parts of each micro-batch
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;  // for Recompute::kLayers
  int64_t loss_chunk_bytes = 0;  // limit of the logits in memory at once; 0: the fastest size
};

class MemoryLadder {
 public:
  // `rows`: rows of the largest micro-batch. `recompute` and `layers`: the configured settings.
  MemoryLadder(int64_t rows, Recompute recompute, int64_t layers = kEveryLayer);

  int64_t lowest() const { return static_cast<int64_t>(rungs_.size()) - 1; }
  // A rung beyond lowest() gives the lowest.
  const MemoryRung& At(int64_t rung) const;
  // A description for the user: "each micro-batch runs in 4 parts".
  std::string Describe(int64_t rung) const;

 private:
  std::vector<MemoryRung> rungs_;
};

// Splits the rows of `micro_batch`, in order, into at most `parts` pieces with about the same
// number of tokens.
std::vector<MicroBatch> InParts(const std::vector<Example>& examples, const MicroBatch& micro_batch,
                                int64_t parts);

}  // namespace mozgach

// The MemoryLadder is what a training does when memory runs out: it takes one rung after another,
// each of which needs less, and none of which changes the effective batch or what is learned.
//
//   rungs 1…k     a micro-batch goes through in 2, 4, 8… parts: smaller micro-batches, more
//                 accumulation; down to a row at a time
//   then          what is cheap is computed again in backward, then whole layers (recompute.h)
//   then          the loss takes shorter chunks of tokens
//
// Rung 0 is the training as it was asked for.  Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/attention/recompute.h"
#include "trainer/data/batches.h"
#include "trainer/data/example.h"

namespace mozgach {

struct MemoryRung {
  int64_t parts = 1;  // in which each micro-batch goes through
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;  // of Recompute::kLayers
  int64_t loss_chunk_bytes = 0;             // of logits held at once; 0: as many as are fastest
};

class MemoryLadder {
 public:
  // `rows`: of the largest micro-batch.  `recompute` and `layers`: what is from the start.
  MemoryLadder(int64_t rows, Recompute recompute, int64_t layers = kEveryLayer);

  int64_t lowest() const { return static_cast<int64_t>(rungs_.size()) - 1; }
  // Beyond lowest(): the lowest.
  const MemoryRung& At(int64_t rung) const;
  // For people: "each micro-batch goes through in 4 parts".
  std::string Describe(int64_t rung) const;

 private:
  std::vector<MemoryRung> rungs_;
};

// The rows of `micro_batch` in order, in at most `parts` pieces of about as many tokens each.
std::vector<MicroBatch> InParts(const std::vector<Example>& examples, const MicroBatch& micro_batch,
                                int64_t parts);

}  // namespace mozgach

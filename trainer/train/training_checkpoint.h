// TrainingCheckpoints are the states of one training on disk, so that it can go on as if nothing
// had happened: DIR/step-000200/{state.safetensors, checkpoint.json}.
//
// state.safetensors holds the adapter under its PEFT names and the optimizer's moments
// (AdamW::NamedMoments()); checkpoint.json says what they belong to, how far the
// training was, and the SHA-256 of the tensors.  Dropout and the order of rows are functions of
// (seed, step), so there is no other state.  A checkpoint appears whole, by a rename; one that is
// damaged is passed over for the one before it.  One process at a time per directory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "trainer/train/loss_mean.h"

namespace mozgach {

using NamedTensorList = std::vector<std::pair<std::string, at::Tensor>>;

// What was chosen by measurement, and is obeyed when a training goes on.
struct PinnedChoices {
  std::optional<std::string> compute_dtype;  // float32 | bfloat16
  std::optional<int64_t> threads;
  std::optional<int64_t> rung;  // of the MemoryLadder, that worked
};

// Whose checkpoint it is.
struct TrainingIdentity {
  std::string spec_digest;
  std::string dataset_digest;
  std::string base_digest;
  bool operator==(const TrainingIdentity&) const = default;
};

// How far a training is.
struct TrainingTotals {
  int64_t step = 0;    // optimizer steps done
  int64_t tokens = 0;  // seen so far
  double seconds = 0;  // spent in steps
  double loss = 0;     // of the last step
  LossMean mean;       // of the steps so far
  int64_t rung = 0;    // of the MemoryLadder, at the end; a checkpoint pins it instead
};

class TrainingCheckpoints {
 public:
  // The newest `limit` are kept.
  TrainingCheckpoints(std::filesystem::path dir, TrainingIdentity identity, PinnedChoices pinned,
                      int64_t limit);

  // What a checkpoint written from now on pins.
  void Pin(const PinnedChoices& pinned) { pinned_ = pinned; }
  const PinnedChoices& pinned() const { return pinned_; }

  // Writes step-NNNNNN and removes the oldest beyond the limit.  Returns its path.
  absl::StatusOr<std::filesystem::path> Save(const TrainingTotals& totals,
                                             const NamedTensorList& tensors) const;

  // Copies the newest whole checkpoint of this identity into `tensors` and returns its totals;
  // nullopt where there is none.  Tensors that do not fit leave `tensors` untouched.  `notices`
  // says why newer ones were passed over.
  absl::StatusOr<std::optional<TrainingTotals>> Restore(const NamedTensorList& tensors,
                                                        std::vector<std::string>* notices) const;

  // True when whole checkpoints are there, but none of this identity.
  bool OnlyForeign() const;

 private:
  absl::StatusOr<TrainingTotals> RestoreFrom(const std::filesystem::path& path,
                                             const NamedTensorList& tensors) const;
  absl::Status RemoveOldest() const;

  std::filesystem::path dir_;
  TrainingIdentity identity_;
  PinnedChoices pinned_;
  int64_t limit_;
};

// The choices pinned in the newest checkpoint below `dir`; none where there is no checkpoint.
PinnedChoices PinnedInCheckpoints(const std::filesystem::path& dir);

}  // namespace mozgach

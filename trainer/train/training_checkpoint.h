// TrainingCheckpoints store the states of one training on disk, so that it can resume with
// identical results: DIR/step-000200/{state.safetensors, checkpoint.json}.
//
// state.safetensors contains the adapter with its PEFT names and the optimizer's moments
// (AdamW::NamedMoments()). checkpoint.json contains the identity of the training, its progress, and
// the SHA-256 of the tensors. Dropout and the order of rows are functions of (seed, step), so no
// other state exists. A checkpoint appears complete, by a rename. If one is damaged, the one before
// it is used. One process at a time per directory.
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

// Choices that were made by measurement and stay fixed when a training resumes.
struct PinnedChoices {
  std::optional<std::string> compute_dtype;  // float32 | bfloat16
  std::optional<int64_t> threads;
  std::optional<int64_t> rung;  // rung of the MemoryLadder that worked
};

// The training that a checkpoint belongs to.
struct TrainingIdentity {
  std::string spec_digest;
  std::string dataset_digest;
  std::string base_digest;
  bool operator==(const TrainingIdentity&) const = default;
};

// The progress of a training.
struct TrainingTotals {
  int64_t step = 0;    // completed optimizer steps
  int64_t tokens = 0;  // tokens seen so far
  double seconds = 0;  // spent in steps
  double loss = 0;     // loss of the last step
  LossMean mean;       // means over the steps so far
  int64_t rung = 0;    // final rung of the MemoryLadder; a checkpoint stores it in PinnedChoices
};

class TrainingCheckpoints {
 public:
  // Keeps the newest `limit` checkpoints.
  TrainingCheckpoints(std::filesystem::path dir, TrainingIdentity identity, PinnedChoices pinned,
                      int64_t limit);

  // Sets the choices that later checkpoints store.
  void Pin(const PinnedChoices& pinned) { pinned_ = pinned; }
  const PinnedChoices& pinned() const { return pinned_; }

  // Writes step-NNNNNN and removes the oldest checkpoints beyond the limit. Returns its path.
  absl::StatusOr<std::filesystem::path> Save(const TrainingTotals& totals,
                                             const NamedTensorList& tensors) const;

  // Copies the newest complete checkpoint of this identity into `tensors` and returns its totals;
  // nullopt if there is none. If a checkpoint's tensors do not fit, `tensors` stays unchanged.
  // Appends to `notices` why newer checkpoints were skipped.
  absl::StatusOr<std::optional<TrainingTotals>> Restore(const NamedTensorList& tensors,
                                                        std::vector<std::string>* notices) const;

  // True if complete checkpoints exist, but none of this identity.
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

// The choices in the newest checkpoint below `dir`; empty if no checkpoint exists.
PinnedChoices PinnedInCheckpoints(const std::filesystem::path& dir);

}  // namespace mozgach

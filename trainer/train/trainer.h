// Train() is the training loop: everything it needs comes in as arguments, what happens goes out
// through an observer, so that the service, the command line and the tests share it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/domain/domain_spec.h"
#include "common/status.h"
#include "trainer/data/batches.h"
#include "trainer/data/example.h"
#include "trainer/lora/lora_adapter.h"
#include "trainer/models/causal_lm.h"
#include "trainer/train/training_checkpoint.h"

namespace mozgach {

// One optimizer step.
struct StepReport {
  int64_t step = 0;  // 1-based: steps done
  int64_t steps = 0;
  double loss = 0;       // mean since the last report (loss_mean.h)
  double step_loss = 0;  // of this step: mean over the trained tokens of its accumulation window
  double mean_loss = 0;  // running mean (loss_mean.h)
  double learning_rate = 0;
  double grad_norm = 0;  // before clipping
  int64_t tokens = 0;    // so far
  double tokens_per_second = 0;
  int64_t memory_peak_bytes = 0;
};

enum class Interruption {
  kNone,
  kCancel,  // leave now
  kStop,    // leave so that the training can go on later: checkpoint first
};

// Called from the thread that trains.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  // Before the first step; `step` is where the training goes on, 0 at first, and `mean_loss` the
  // running mean of the steps before it, where they are known.
  virtual void OnStarted(int64_t step, int64_t steps, std::optional<double> mean_loss) {}
  virtual void OnStep(const StepReport& report) {}
  virtual void OnCheckpoint(int64_t step, const std::filesystem::path& path) {}
  // Something a person who reads the log should know.
  virtual void OnNotice(const std::string& text) {}
  // Memory ran out in the step after `step`: that step and the rest go on `rung` of the
  // MemoryLadder.
  virtual void OnSteppedDown(int64_t step, int64_t rung, const std::string& what) {}
  // Asked before every step and between batches of everything else that takes long.
  virtual Interruption Poll() { return Interruption::kNone; }
};

// All pointers are borrowed for the call.
struct TrainingInputs {
  const CausalLm* model = nullptr;
  LoraAdapter* adapter = nullptr;  // trained in place
  const std::vector<Example>* examples = nullptr;
  const BatchPlan* plan = nullptr;
  TrainingSpec training;
  Recompute recompute = Recompute::kNothing;
  int64_t recomputed_layers = kEveryLayer;             // of Recompute::kLayers
  int64_t rung = 0;                                    // of the MemoryLadder to start on
  TrainingCheckpoints* checkpoints = nullptr;          // null: none are read or written
  std::function<absl::Status(int64_t step)> evaluate;  // at eval_steps; may be empty
};

// Trains from the newest checkpoint, or from the adapter as it is, to the end of the plan.  The
// largest micro-batch is tried first, without a trace.
// Where memory runs out in a step, the step is done again a rung lower; on the lowest the error is
// RESOURCE_EXHAUSTED.  CANCELLED when interrupted; OUT_OF_RANGE when loss or gradient is not
// finite; FAILED_PRECONDITION when the adapter has learned nothing at all.
absl::StatusOr<TrainingTotals> Train(const TrainingInputs& inputs, TrainingObserver& observer);

// CANCELLED when `observer` asks to leave.
absl::Status CheckInterruption(TrainingObserver& observer);

}  // namespace mozgach
